package render_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/junit"
	"github.com/floodgate-dev/floodgate/reports/render"
)

func copyRun(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "testdata", "runs", name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFolderDrawsEveryPageAndDrawsItAgain(t *testing.T) {
	dir := copyRun(t, "fail")
	pages := map[string][]byte{reports.PageFile: nil, reports.JUnitFile: nil, reports.SummaryFile: nil, reports.ProfileFile: nil}
	for round := range 2 {
		if err := render.Folder(dir, junit.Options{}); err != nil {
			t.Fatal(err)
		}
		for name, before := range pages {
			now, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(now, []byte("B02")) {
				t.Errorf("%s does not name the failed case B02", name)
			}
			if round == 1 && !bytes.Equal(before, now) {
				t.Errorf("%s changed although the run did not", name)
			}
			pages[name] = now
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			t.Errorf("a temporary file stayed behind: %s", entry.Name())
		}
	}
}

func TestFolderWithoutRecordNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	err := render.Folder(dir, junit.Options{})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, reports.RecordFile)) {
		t.Fatalf("got %v, want an error that names the record's path", err)
	}
}

func TestFolderWritesTheOtherPagesIfOneCannotBe(t *testing.T) {
	dir := copyRun(t, "pass")
	// A folder with something in it cannot be replaced by a file.
	if err := os.MkdirAll(filepath.Join(dir, reports.PageFile, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := render.Folder(dir, junit.Options{}); err == nil || !strings.Contains(err.Error(), reports.PageFile) {
		t.Fatalf("got %v, want an error that names %s", err, reports.PageFile)
	}
	for _, name := range []string{reports.JUnitFile, reports.SummaryFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
