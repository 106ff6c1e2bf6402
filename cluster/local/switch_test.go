package local

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMountedIsSwitchedInOneStep(t *testing.T) {
	m := mounted{filepath.Join(t.TempDir(), "limits"), "limits.yaml"}
	var before string
	for _, content := range []string{"one", "two", "three"} {
		if err := m.write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(m.path())
		if err != nil || string(got) != content {
			t.Fatalf("got %q, %v, want %q", got, err, content)
		}
		target, err := filepath.EvalSymlinks(m.path())
		if err != nil || target == before {
			t.Errorf("the file is still %s (%v): the limiter would not notice", target, err)
		}
		before = target
		if link, err := os.Readlink(m.path()); err != nil || link != filepath.Join("..data", m.name) {
			t.Errorf("the file is a link to %q, %v, want one through ..data", link, err)
		}
	}
	// ..data, the version in force and the link itself.
	entries, err := os.ReadDir(m.dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d entries, %v, want 3: old versions must go", len(entries), err)
	}
}

func TestWriteAtomicallyLeavesNoTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret.yaml")
	for _, content := range []string{"one", "two"} {
		if err := writeAtomically(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Fatalf("got %q, %v, want %q", got, err, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode().Perm(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v, want one", len(entries), err)
	}
	if err := writeAtomically(filepath.Join(dir, "no", "such"), nil); err == nil {
		t.Error("a folder that does not exist: no error")
	}
}
