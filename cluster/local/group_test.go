package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
)

// wrapper writes a script that says its group in a file, leaves a process in
// the background, and then runs what then says.
func wrapper(t *testing.T, then string) (path, groupFile string) {
	t.Helper()
	dir := t.TempDir()
	path, groupFile = filepath.Join(dir, "wrapper"), filepath.Join(dir, "group")
	script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'wrapped 9.8.7'; exit 0; fi\n"+
		"sleep 1000 & echo $$ > %[1]s.next && mv %[1]s.next %[1]s\n%[2]s\n", shell(groupFile), then)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path, groupFile
}

// groupIn is the group that a wrapper said.
func groupIn(t *testing.T, file string) group {
	t.Helper()
	await(t, "the wrapper's start", func() bool { _, err := os.Stat(file); return err == nil })
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	leader, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return group(leader)
}

func checkGone(t *testing.T, g group) {
	t.Helper()
	if g.alive() {
		out, _ := exec.CommandContext(t.Context(), "ps", "-A", "-o", "pid,pgid,stat,args").Output()
		t.Errorf("processes of group %d are left:\n%s", g, out)
	}
}

// asChild runs a stand-in as a child of the shell.
func asChild(t *testing.T, standIn string) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return shell(executable, "standin", standIn) + ` "$@"`
}

func TestDownEndsWrappedPrograms(t *testing.T) {
	path, groupFile := wrapper(t, asChild(t, "llmd"))
	system, err := (&Provider{}).Up(t.Context(), optionsWith(t, map[string]string{modelServer: path}))
	if err != nil {
		t.Fatal(err)
	}
	g := groupIn(t, groupFile)
	if c := component(t, system.Stack(), modelServer); c.PID != int(g) || c.Version != "wrapped 9.8.7" {
		t.Errorf("%+v, want the wrapper, process %d", c, g)
	}
	if !g.alive() {
		t.Error("the group is not there")
	}
	if err := system.Down(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	checkGone(t, g)
}

func TestFailedUpEndsWrappedPrograms(t *testing.T) {
	path, groupFile := wrapper(t, "exit 1")
	_, err := (&Provider{}).Up(t.Context(), optionsWith(t, map[string]string{limiter: path}))
	var start *cluster.StartError
	if !errors.As(err, &start) || start.Component != limiter {
		t.Errorf("got %v, want a StartError of the limiter", err)
	}
	checkGone(t, groupIn(t, groupFile))
}

func TestInterruptedUpEndsWrappedPrograms(t *testing.T) {
	path, groupFile := wrapper(t, "sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	options := optionsWith(t, map[string]string{modelServer: path})
	go func() {
		_, err := (&Provider{}).Up(ctx, options)
		ended <- err
	}()
	g := groupIn(t, groupFile)
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the interruption", err)
		}
	case <-time.After(testPatience):
		t.Fatal("it goes on")
	}
	checkGone(t, g)
}

// A group whose leader obeys is waited for, and killed when patience is over.
func TestEndKillsWhatALeaderLeaves(t *testing.T) {
	path, groupFile := wrapper(t, `(trap "" TERM; sleep 1000; sleep 1000) & sleep 1000`)
	p, err := launcherUnderTest(t).Launch(Command{Program: path}, logFile(t))
	if err != nil {
		t.Fatal(err)
	}
	g := groupIn(t, groupFile)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := end(over, p, terminate); err != nil {
		t.Error(err)
	}
	checkGone(t, g)
}

func TestVersionLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path, groupFile := filepath.Join(dir, "program"), filepath.Join(dir, "group")
	script := fmt.Sprintf("#!/bin/sh\nsleep 1000 >%s 2>&1 & echo $$ > %s\necho 1.2.3\n", os.DevNull, shell(groupFile))
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := versionOf(t.Context(), path); got != "1.2.3" {
		t.Errorf("version %q", got)
	}
	g := groupIn(t, groupFile)
	await(t, "the end of what the program left", func() bool { return !g.alive() })
}

func TestGuardEndsTheWholeGroup(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path, groupFile := wrapper(t, "sleep 1000")
	p, err := startGuarded(executable, path, nil, func(*exec.Cmd) {})
	if err != nil {
		t.Fatal(err)
	}
	g := groupIn(t, groupFile)
	p.Kill()
	select {
	case <-p.Done():
	case <-time.After(testPatience):
		t.Fatal("the guard still runs")
	}
	checkGone(t, g)
}

func TestGroupReadsProcessStates(t *testing.T) {
	for line, want := range map[string]bool{
		"12 (sleep) S 1 77 77 0 -1":           true,
		"12 (sleep) Z 1 77 77 0 -1":           false,
		"12 (sleep) S 77 12 77 0 -1":          false,
		"12 (a ) R 1 12 (b) R 1 77 77 0 -1":   true,
		"12 (a) R 1 77 77) S 1 12 12 0 -1 77": false,
		"":                                    false,
	} {
		if got := group(77).runs([]byte(line)); got != want {
			t.Errorf("%q: %t, want %t", line, got, want)
		}
	}
}
