package local

import (
	"context"
	"debug/buildinfo"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	// versionPatience is how long a program may take to say its version.
	versionPatience = 5 * time.Second
	versionLength   = 80
	unknownVersion  = "unknown"
)

// versionOf is the first line that a program prints for --version. One that
// fails, or says nothing, has an unknown version: no reason not to run it.
func versionOf(ctx context.Context, program string) string {
	ctx, cancel := context.WithTimeout(ctx, versionPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.Env = environment()
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return group(cmd.Process.Pid).signal(syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	output, err := cmd.Output()
	if cmd.Process != nil {
		// What it left behind has nothing more to say.
		_ = cmd.Cancel()
	}
	if err != nil {
		return unknownVersion
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(line, ""))
	if line == "" {
		return unknownVersion
	}
	return line[:min(len(line), versionLength)]
}

// prometheusLine is the first line of "prometheus --version".
var prometheusLine = regexp.MustCompile(`^prometheus, version (\S+) \(`)

// prometheusVersionOf is a Prometheus' version. One that "go install" built
// does not know its own; the toolchain has noted it in the file.
func prometheusVersionOf(ctx context.Context, program string) string {
	line := versionOf(ctx, program)
	if match := prometheusLine.FindStringSubmatch(line); match != nil {
		return match[1]
	}
	if info, err := buildinfo.ReadFile(program); err == nil && info.Main.Version != "" {
		return info.Main.Version
	}
	return line
}
