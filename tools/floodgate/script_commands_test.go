package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/floodgate-dev/floodgate/reports"
)

// scriptPatience bounds every wait of a script.
const scriptPatience = 60 * time.Second

// exits CODE COMMAND...: the command ends with just this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited):
		code = exited.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// record OUT FIELD=VALUE...: the only run below OUT has these fields, named by
// dots: verdict=fail, interrupted=true, stack.components.0.origin=stand-in.
func recordHas(ts *testscript.TestScript, neg bool, args []string) {
	content := ts.ReadFile(filepath.Join(onlyRun(ts, args[0]), recordFile))
	if _, err := reports.Load(ts.MkAbs(filepath.Join(onlyRun(ts, args[0]), recordFile))); err != nil {
		ts.Fatalf("%v", err)
	}
	var record any
	ts.Check(json.Unmarshal([]byte(content), &record))
	for _, want := range args[1:] {
		path, value, _ := strings.Cut(want, "=")
		got := fmt.Sprint(dig(record, strings.Split(path, ".")))
		if matched := regexp.MustCompile(value).MatchString(got); matched == neg {
			ts.Fatalf("record: %s is %q, want %q (negated: %v)", path, got, value, neg)
		}
	}
}

func dig(value any, path []string) any {
	for _, step := range path {
		switch at := value.(type) {
		case map[string]any:
			value = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				return nil
			}
			value = at[i]
		default:
			return nil
		}
	}
	return value
}

func onlyRun(ts *testscript.TestScript, out string) string {
	runs, err := filepath.Glob(filepath.Join(ts.MkAbs(out), "*", recordFile))
	ts.Check(err)
	if len(runs) != 1 {
		ts.Fatalf("%d runs below %s, want 1: %v", len(runs), out, runs)
	}
	return filepath.Dir(runs[0])
}

// no-keys OUT KEY...: no file below OUT holds one of the keys, nor a key of an
// issued identity.
func noKeys(ts *testscript.TestScript, _ bool, args []string) {
	issued := regexp.MustCompile(`fg_[0-9a-f]{20,}`)
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, key := range args[1:] {
			if bytes.Contains(content, []byte(key)) {
				return fmt.Errorf("%s holds the key %s", path, key)
			}
		}
		if found := issued.Find(content); found != nil {
			return fmt.Errorf("%s holds the issued key %s", path, found)
		}
		return nil
	}))
	if files == 0 {
		ts.Fatalf("nothing below %s", args[0])
	}
}

// gone: no process that this script's runs have started is left, and nothing
// in the folder for temporary files.
func gone(ts *testscript.TestScript, _ bool, _ []string) {
	temporary := ts.Getenv("TMPDIR")
	deadline := time.Now().Add(scriptPatience)
	for {
		left := processesOf(temporary)
		files, _ := filepath.Glob(filepath.Join(temporary, "floodgate-*"))
		if len(left) == 0 && len(files) == 0 {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("left behind: processes %v, files %v", left, files)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// processesOf are the processes whose environment names this script's own
// folder for temporary files. Only Linux can be asked.
func processesOf(temporary string) []string {
	var left []string
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		environment, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(environment, []byte("TMPDIR="+temporary+"\x00")) {
			continue
		}
		command, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err == nil && len(command) > 0 && filepath.Base(filepath.Dir(path)) != strconv.Itoa(os.Getpid()) {
			left = append(left, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return left
}

// await FILE PATTERN: some file that the glob names matches the pattern.
func await(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	deadline := time.Now().Add(scriptPatience)
	for {
		files, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		for _, file := range files {
			if content, err := os.ReadFile(file); err == nil && pattern.Match(content) {
				return
			}
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: no match for %q", args[0], args[1])
		}
		<-time.After(20 * time.Millisecond)
	}
}

// signal NAME INT|TERM|KILL: sends a signal to a command in the background.
func signalBackground(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	for _, cmd := range ts.BackgroundCmds() {
		if cmd.Process != nil {
			ts.Check(cmd.Process.Signal(signals[args[0]]))
			return
		}
	}
	ts.Fatalf("nothing runs in the background")
}

// kill-part NAME: kills one component of the running stack, found by its pid in
// the run's session.
func killPart(ts *testscript.TestScript, _ bool, args []string) {
	sessions, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*", "session.json"))
	ts.Check(err)
	if len(sessions) != 1 {
		ts.Fatalf("%d sessions below %s", len(sessions), args[0])
	}
	var session struct {
		Stack struct {
			Components []struct {
				Name string `json:"name"`
				PID  int    `json:"pid"`
			} `json:"components"`
		} `json:"stack"`
	}
	content, err := os.ReadFile(sessions[0])
	ts.Check(err)
	ts.Check(json.Unmarshal(content, &session))
	for _, component := range session.Stack.Components {
		if component.Name == args[1] && component.PID > 0 {
			ts.Check(syscall.Kill(component.PID, syscall.SIGKILL))
			return
		}
	}
	ts.Fatalf("no component %s with a pid in %s", args[1], content)
}

// takes-port VARIABLE: listens on a free port for the rest of the script.
func takesPort(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// small-disk DIR SIZE: mounts a file system of so many bytes.
func smallDisk(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "tmpfs", dir).CombinedOutput()
	if err != nil {
		ts.Fatalf("mount a small disk: %v: %s", err, output)
	}
	ts.Defer(func() { _ = exec.Command("umount", "-l", dir).Run() })
}

// urls OUT: the URLs of the stack that was left up below OUT, as variables.
func urlsOf(ts *testscript.TestScript, _ bool, args []string) {
	var up standing
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(args[0], stackDir, stackState))), &up))
	v := up.Stack.Variants["policy"]
	ts.Setenv("GATEWAY", v.Gateway)
	ts.Setenv("GATEWAY_STATS", v.GatewayStats)
	ts.Setenv("LIMITER", strings.Join(v.Limiters, ","))
	ts.Setenv("BACKEND", v.Backend)
	ts.Setenv("JOURNAL", v.Journal)
}

// left OUT NAME...: the only run below OUT has these files, not empty.
func leftFiles(ts *testscript.TestScript, _ bool, args []string) {
	run := onlyRun(ts, args[0])
	for _, name := range args[1:] {
		info, err := os.Stat(filepath.Join(run, name))
		ts.Check(err)
		if info.Size() == 0 {
			ts.Fatalf("%s is empty", name)
		}
	}
}
