package charts

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// The tests are their own program: with this variable they answer as
// floodgate-charts could.
const playing = "FLOODGATE_TEST_CHARTS_PROGRAM"

func TestMain(m *testing.M) {
	if how := os.Getenv(playing); how != "" {
		os.Exit(play(how))
	}
	os.Exit(m.Run())
}

func play(how string) int {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return 3
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format, args...) }
	switch how {
	case "echo":
		object, _ := json.Marshal(map[string]any{"kind": asked.Do, "apiVersion": "v1", "data": asked})
		say(`{"objects": [%s], "path": %q, "digest": "sha256:1"}`, object, asked.To)
		return 0
	case "fail":
		_, _ = fmt.Fprintf(os.Stderr, "%s\nlevel=WARN msg=\"why it is so\"\n", strings.Repeat("noise ", 10_000))
		_, _ = fmt.Fprintln(os.Stderr, "floodgate-charts: the release's own reason")
		say(`{"error": "the release's own reason"}`)
		return 1
	case "die":
		_, _ = fmt.Fprintln(os.Stderr, "panic: out of order")
		return 2
	case "chat":
		say("WARNING: this is no JSON\n")
		return 0
	case "told":
		told := make(chan os.Signal, 1)
		signal.Notify(told, syscall.SIGTERM)
		if err := os.WriteFile(asked.To, nil, 0o600); err != nil {
			return 3
		}
		<-told
		say(`{"error": "marked as failed"}`)
		return 1
	}
	return 4
}

func program(t *testing.T, how string) *Program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(playing, how)
	return &Program{Path: self, Kubeconfig: "/the/kubeconfig"}
}

var asked = install.Chart{Release: "rel", Namespace: "ns", Repository: "https://charts.invalid", Name: "c", Version: "1", Values: map[string]any{"a": map[string]any{"b": "c"}}}

func TestWhatIsAsked(t *testing.T) {
	p := program(t, "echo")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	objects, err := p.Render(ctx, asked)
	if err != nil || len(objects) != 1 {
		t.Fatalf("%v, %v", objects, err)
	}
	text, err := json.Marshal(objects[0].Object["data"])
	if err != nil {
		t.Fatal(err)
	}
	var got request
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Do != "render" || got.Kubeconfig != "/the/kubeconfig" || got.Chart.Release != "rel" || got.Chart.Namespace != "ns" ||
		got.Chart.Repository != asked.Repository || got.Chart.Name != "c" || got.Chart.Version != "1" || fmt.Sprint(got.Chart.Values) != "map[a:map[b:c]]" {
		t.Errorf("asked %+v", got)
	}
	if got.Seconds < 50 || got.Seconds > 58.1 {
		t.Errorf("the program has %.1f s of 60", got.Seconds)
	}
	path, digest, err := p.Pull(ctx, asked, "/to")
	if path != "/to" || digest != "sha256:1" || err != nil {
		t.Errorf("pulled %s, %s, %v", path, digest, err)
	}
}

func TestFailures(t *testing.T) {
	for how, want := range map[string]struct{ has, hasNot string }{
		"fail": {"the release's own reason\n", "floodgate-charts: "},
		"die":  {"panic: out of order", "WARN"},
		"chat": {"make charts", "WARN"},
	} {
		t.Run(how, func(t *testing.T) {
			err := program(t, how).Install(t.Context(), asked)
			if err == nil || !strings.Contains(err.Error(), want.has) || strings.Contains(err.Error(), want.hasNot) {
				t.Errorf("got %v", err)
			}
			if err != nil && len(err.Error()) > 2*errorTail {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		if err := (&Program{Path: "/no/such/program"}).Uninstall(t.Context(), asked); err == nil {
			t.Error("no error")
		}
	})
}

// Told to end, the program ends in order, and its message is kept.
func TestInterrupted(t *testing.T) {
	p := program(t, "told")
	started := filepath.Join(t.TempDir(), "started")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(started); err == nil {
				cancel(fmt.Errorf("enough"))
			}
		}
	}()
	start := time.Now()
	_, _, err := p.Pull(ctx, asked, started)
	if err == nil || !strings.Contains(err.Error(), "enough") || !strings.Contains(err.Error(), "marked as failed") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > grace {
		t.Errorf("it took %s", took)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if _, err := Find(""); err == nil || !strings.Contains(err.Error(), "make charts") {
		t.Errorf("nothing there: %v", err)
	}
	path := filepath.Join(dir, Name)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(path); err == nil || !strings.Contains(err.Error(), "make charts") || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that does not run: %v", err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{"", path} {
		if found, err := Find(given); err != nil || found != path {
			t.Errorf("Find(%q): %s, %v", given, found, err)
		}
	}
	if _, err := Find(filepath.Join(dir, "other")); err == nil {
		t.Error("a given path that is not there was replaced by another")
	}
}
