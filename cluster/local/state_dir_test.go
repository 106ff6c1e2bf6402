package local

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The private state lies below StateDir and nowhere else, and is gone when the
// stack is down.
func TestStateDir(t *testing.T) {
	options := optionsWith(t, map[string]string{})
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	options.StateDir = filepath.Join(t.TempDir(), "private", "state")
	system, err := (&Provider{}).Up(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	state := system.Stack().State
	if filepath.Dir(state) != options.StateDir {
		t.Errorf("the state is in %s, want it below %s", state, options.StateDir)
	}
	for _, dir := range []string{options.StateDir, state} {
		if status, err := os.Stat(dir); err != nil || status.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v, %v, want only its owner's", dir, status.Mode(), err)
		}
	}
	key := firstKey(t, options)
	holders := 0
	for dir, wanted := range map[string]bool{temporary: false, options.RunDir: false, state: true} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			if strings.Contains(string(text), key) {
				holders++
				if !wanted {
					t.Errorf("%s holds a key", path)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if holders == 0 {
		t.Error("no file holds a key: the test looks for the wrong thing")
	}
	if err := system.Down(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(options.StateDir); err != nil || len(entries) > 0 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}

func TestStateDirMustBeAbsolute(t *testing.T) {
	options := optionsWith(t, map[string]string{})
	options.StateDir = "state"
	if _, err := (&Provider{}).Up(t.Context(), options); err == nil || !strings.Contains(err.Error(), `"state": must be absolute`) {
		t.Errorf("got %v, want a refusal", err)
	}
}
