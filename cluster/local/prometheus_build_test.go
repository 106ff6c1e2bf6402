package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onlyGo makes a folder with a "go" that runs script the only one on PATH, and
// the user's cache empty.
func onlyGo(t *testing.T, script string) (said *strings.Builder, say func(string, ...any)) {
	t.Helper()
	bin := t.TempDir()
	if script != "" {
		if err := os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	said = &strings.Builder{}
	return said, func(format string, args ...any) { _, _ = fmt.Fprintf(said, format+"\n", args...) }
}

func TestPrometheusIsBuiltOnce(t *testing.T) {
	said, say := onlyGo(t, `echo "#$*" > "$GOBIN/prometheus" && /bin/chmod 700 "$GOBIN/prometheus"`)
	first, err := Prometheus(t.Context(), say)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := cachedPrometheus(); err != nil || first != want {
		t.Errorf("built at %s, want %s (%v)", first, want, err)
	}
	text, err := os.ReadFile(first)
	if err != nil || !strings.Contains(string(text), "install -tags remove_all_sd -ldflags -s -w github.com/prometheus/prometheus/cmd/prometheus@v0.316.0") {
		t.Errorf("built by %q, %v", text, err)
	}
	if !strings.Contains(said.String(), "3 to 6 minutes, once") || !strings.Contains(said.String(), first) {
		t.Errorf("said %q, want how long it takes and where it is kept", said)
	}
	entries, err := os.ReadDir(filepath.Dir(first))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files beside it, %v: the build folder must go", len(entries)-1, err)
	}

	said.Reset()
	second, err := Prometheus(t.Context(), say)
	if err != nil || second != first || said.Len() > 0 {
		t.Errorf("the second time: %s, %v, said %q, want the first one without a word", second, err, said)
	}
}

func TestPrometheusBuildFails(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"no go":        {"", "no go to build it"},
		"go complains": {"echo 'module not found' >&2; exit 1", "module not found"},
	} {
		t.Run(name, func(t *testing.T) {
			_, say := onlyGo(t, test.script)
			if program, err := Prometheus(t.Context(), say); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %s, %v, want an error with %q", program, err, test.want)
			}
		})
	}
}

func TestPrometheusOnPathIsTaken(t *testing.T) {
	_, say := onlyGo(t, "exit 1")
	path := filepath.Join(os.Getenv("PATH"), "prometheus")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho 'prometheus, version 2.42.0 (branch: HEAD, revision: x)'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := Prometheus(t.Context(), say)
	if err != nil || got != path {
		t.Errorf("got %s, %v, want %s", got, err, path)
	}
	if version := prometheusVersionOf(t.Context(), path); version != "2.42.0" {
		t.Errorf("version %q, want 2.42.0", version)
	}
}
