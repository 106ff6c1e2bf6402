package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreKeptByName(t *testing.T) {
	files, err := filesOf(t.TempDir(), "policy", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(files.secrets(), 0o700); err != nil {
		t.Fatal(err)
	}
	manifest := func(name, key string) []byte {
		return []byte("metadata: {namespace: llm-d, name: " + name + "}\nstringData: {api_key: " + key + "}\n")
	}
	for _, secret := range [][]byte{manifest("one", "old"), manifest("two", "other"), manifest("one", "new")} {
		if err := files.writeSecret(secret); err != nil {
			t.Fatal(err)
		}
	}
	if got := contents(t, files.secrets()); len(got) != 2 || strings.Contains(strings.Join(got, ""), "old") {
		t.Errorf("after one was replaced there are %q", got)
	}
	if err := files.removeSecret(manifest("one", "whatever")); err != nil {
		t.Error(err)
	}
	if got := contents(t, files.secrets()); len(got) != 1 || !strings.Contains(got[0], "other") {
		t.Errorf("after one was removed there are %q", got)
	}
	if err := files.removeSecret(manifest("one", "new")); err == nil {
		t.Error("a Secret that is not there was removed")
	}
	err = files.writeSecret([]byte("metadata: [api_key_in_text]"))
	if err == nil || strings.Contains(err.Error(), "api_key_in_text") {
		t.Errorf("a manifest without a name: %v, want an error that does not quote it", err)
	}
}

func contents(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}
