package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// prometheusVersion is built when none is found.
	prometheusVersion = "v0.316.0"
	prometheusModule  = "github.com/prometheus/prometheus/cmd/prometheus"
	// buildInterval is how often a build says that it still goes on.
	buildInterval = 10 * time.Second
	// buildErrorLines is how much of a failed build's output is shown.
	buildErrorLines = 8
)

// cachedPrometheus is where a built Prometheus is kept.
func cachedPrometheus() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache: %w", err)
	}
	return filepath.Join(cache, "floodgate", "bin", "prometheus-"+prometheusVersion), nil
}

// FindPrometheus returns the Prometheus on PATH, or else the one that a run has
// built into the user's cache.
func FindPrometheus() (string, error) {
	if program, err := exec.LookPath(prometheus); err == nil {
		return filepath.Abs(program)
	}
	program, err := cachedPrometheus()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(program)
	if err != nil {
		return "", fmt.Errorf("no prometheus on PATH nor at %s", program)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s is no executable file", program)
	}
	return program, nil
}

// Prometheus is FindPrometheus that builds one into the user's cache if
// there is none.
func Prometheus(ctx context.Context, say func(string, ...any)) (string, error) {
	if program, err := FindPrometheus(); err == nil {
		return program, nil
	}
	program, err := cachedPrometheus()
	if err != nil {
		return "", err
	}
	compiler, err := exec.LookPath("go")
	if err != nil {
		return "", fmt.Errorf("no prometheus on PATH nor at %s, and no go to build it: %w", program, err)
	}
	if err := buildPrometheus(ctx, compiler, program, say); err != nil {
		return "", fmt.Errorf("build %s@%s: %w", prometheusModule, prometheusVersion, err)
	}
	return program, nil
}

// buildPrometheus builds from the module into program. The file appears whole
// or not at all, so that builds side by side do no harm.
func buildPrometheus(ctx context.Context, compiler, program string, say func(string, ...any)) (err error) {
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return err
	}
	bin, err := os.MkdirTemp(filepath.Dir(program), ".build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()

	// Without the tag the service discoveries of every cloud are built too.
	build := exec.CommandContext(ctx, compiler, "install", "-tags", "remove_all_sd", "-ldflags", "-s -w",
		prometheusModule+"@"+prometheusVersion)
	build.Dir = bin
	build.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED=0")
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) }
	build.WaitDelay = killDelay
	var output bytes.Buffer
	build.Stdout, build.Stderr = &output, &output

	began := time.Now()
	say("prometheus: building %s (about 3 to 6 minutes, once)", prometheusVersion)
	if err := build.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- build.Wait() }()
	tick := time.NewTicker(buildInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			say("prometheus: still building, %s so far (about 3 to 6 minutes, once)", time.Since(began).Round(time.Second))
		case err := <-done:
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				return fmt.Errorf("%w\n%s", err, lastLines(output.String(), buildErrorLines))
			}
			say("prometheus: built in %s, kept at %s", time.Since(began).Round(time.Second), program)
			return os.Rename(filepath.Join(bin, prometheus), program)
		}
	}
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
