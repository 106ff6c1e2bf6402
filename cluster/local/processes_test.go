package local

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster/probe"
)

// testPatience bounds what a test waits for.
const testPatience = time.Minute

// launcherUnderTest starts this test binary's stand-ins.
func launcherUnderTest(t *testing.T) *processes {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l := newProcesses(executable)
	t.Cleanup(l.Close)
	return l
}

func logFile(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "component.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	err := probe.Until(ctx, func(context.Context) error {
		if !holds() {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func TestEndKillsWhatDoesNotEnd(t *testing.T) {
	log := logFile(t)
	p, err := launcherUnderTest(t).Launch(Command{StandIn: "stubborn"}, log)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "start", func() bool { return strings.Contains(logTail(log.Name(), new(redactor)), "stubborn") })
	// A wait that is over already stands for the five seconds.
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := end(over, p, terminate); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", p.PID(), err)
	}
	if err := p.Signal(terminate); err != nil {
		t.Errorf("signalling a process that has ended: %v", err)
	}
}

func TestLaunchSaysHowAProcessEnded(t *testing.T) {
	p, err := launcherUnderTest(t).Launch(Command{StandIn: "stubborn", Args: []string{"unexpected"}}, logFile(t))
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	var exit *exec.ExitError
	if !errors.As(p.Err(), &exit) || exit.ExitCode() != exitUsage {
		t.Errorf("ended with %v, want status %d", p.Err(), exitUsage)
	}
}

func TestLaunchRefusesWhatIsNoProgram(t *testing.T) {
	if _, err := launcherUnderTest(t).Launch(Command{Program: filepath.Join(t.TempDir(), "limitador-server")}, logFile(t)); err == nil {
		t.Error("no error")
	}
}

func TestGuardKillsItsProgramWhenItsParentIsGone(t *testing.T) {
	stdin, leash := io.Pipe()
	stdout, output := io.Pipe()
	code := make(chan int, 1)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		code <- Guard(t.Context(), []string{"--", executable, "standin", "stubborn"}, stdin, output, io.Discard)
	}()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "stubborn\n" {
		t.Fatalf("the program said %q, %v", line, err)
	}
	if err := leash.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-code:
		if got == 0 {
			t.Error("the guard returned 0 for a program that it killed")
		}
	case <-time.After(testPatience):
		t.Fatal("the guard still runs")
	}
}

func TestGuardedProcess(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := logFile(t)
	p, err := startGuarded(executable, executable, []string{"standin", "stubborn"}, func(cmd *exec.Cmd) {
		cmd.Stdout, cmd.Stderr = log, log
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "start", func() bool { return strings.Contains(logTail(log.Name(), new(redactor)), "stubborn") })
	if err := p.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
		t.Fatal("the guard gave up a program that goes on")
	case <-time.After(50 * time.Millisecond):
	}
	p.Kill()
	select {
	case <-p.Done():
	case <-time.After(testPatience):
		t.Fatal("the guard still runs")
	}
}

func TestGuardPassesTheStatusOn(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	stdin, _ := io.Pipe()
	if got := Guard(t.Context(), []string{"--", executable, "standin", "stubborn", "unexpected"}, stdin, io.Discard, io.Discard); got != exitUsage {
		t.Errorf("status %d, want %d", got, exitUsage)
	}
	if got := Guard(t.Context(), []string{executable}, stdin, io.Discard, io.Discard); got != exitUsage {
		t.Errorf("without --: status %d, want %d", got, exitUsage)
	}
}

func TestEnvironmentDoesNotConfigureComponents(t *testing.T) {
	t.Setenv("RATE_LIMIT_HEADERS", "DRAFT_VERSION_03")
	t.Setenv("REDIS_URL", "redis://127.0.0.1:6379")
	for _, variable := range environment() {
		name, _, _ := strings.Cut(variable, "=")
		if name == "RATE_LIMIT_HEADERS" || name == "REDIS_URL" {
			t.Errorf("%s is passed on", variable)
		}
	}
}

func TestShell(t *testing.T) {
	got := shell("/bin/limitador-server", "--metric-labels-default", `{"user": descriptors[0]["a"]}`, "it's", "")
	want := `/bin/limitador-server --metric-labels-default '{"user": descriptors[0]["a"]}' 'it'\''s' ''`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLogTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	text := strings.Repeat("old line\n", 2000) + "red \x1b[31mline\x1b[0m\r\nlast line\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := logTail(path, new(redactor))
	if lines := strings.Split(got, "\n"); len(lines) != tailLines || lines[len(lines)-1] != "last line" || lines[0] != "old line" {
		t.Errorf("got %q, want the last %d lines", got, tailLines)
	}
	if strings.ContainsAny(got, "\x1b\r") {
		t.Errorf("control characters in %q", got)
	}
	if got := logTail(filepath.Join(t.TempDir(), "none"), new(redactor)); got != "" {
		t.Errorf("no log: got %q", got)
	}
}
