package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

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
	private, err := makePrivate()
	if err != nil {
		t.Fatal(err)
	}
	for folder, wanted := range map[string]bool{dead: false, mine: true, others: true, private: true} {
		if _, err := os.Stat(folder); (err == nil) != wanted {
			t.Errorf("%s: %v; wanted: %v", filepath.Base(folder), err, wanted)
		}
	}
}
