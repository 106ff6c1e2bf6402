package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// A process that was killed and that nobody has asked for has ended all the same.
func TestAnUnreapedProcessHasEnded(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("SKIPPED: this system does not tell of processes that wait to be reaped")
	}
	unreaped := exec.Command("sleep", "600")
	if err := unreaped.Start(); err != nil {
		t.Fatal(err)
	}
	if hasEnded(unreaped.Process.Pid) || hasEnded(os.Getpid()) {
		t.Error("a process that runs counts as ended")
	}
	if err := unreaped.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unreaped.Wait() }()
	for deadline := time.Now().Add(time.Minute); !hasEnded(unreaped.Process.Pid); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("a killed process does not count as ended")
		}
	}
}

func TestOnlyFoldersOfDeadRunsAreRemoved(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	dead := filepath.Join(dir, fmt.Sprintf("floodgate-%d-left", gone.ProcessState.Pid()))
	mine := filepath.Join(dir, fmt.Sprintf("floodgate-%d-used", os.Getpid()))
	others := filepath.Join(dir, "floodgate-notes-2026")
	for _, folder := range []string{dead, mine, others} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// One that has changed a cluster stays, until that is taken back.
	changed := filepath.Join(dir, fmt.Sprintf("floodgate-%d-changed", gone.ProcessState.Pid()))
	notes := filepath.Join(changed, "floodgate-1", "changes")
	if err := os.MkdirAll(notes, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{filepath.Join(changed, "floodgate-1", "state.json"): `{"provider":"existing"}`, filepath.Join(notes, "a.json"): "{}"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	private, err := makePrivate()
	if err != nil {
		t.Fatal(err)
	}
	for folder, wanted := range map[string]bool{dead: false, changed: true, mine: true, others: true, private: true} {
		if _, err := os.Stat(folder); (err == nil) != wanted {
			t.Errorf("%s: %v; wanted: %v", filepath.Base(folder), err, wanted)
		}
	}
}
