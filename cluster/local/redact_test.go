package local

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

func TestRedactor(t *testing.T) {
	r := newRedactor([]string{"alice", "alice_key", "bob_key", "key", "", "schlüssel", "line_key\n"})
	for text, want := range map[string]string{
		"":                             "",
		"no key at all":                "no key at all",
		"alice_key":                    "[redacted]",
		"alice_keyalice":               "[redacted][redacted]",
		"<bob_key> and alice_ke":       "<[redacted]> and [redacted]_ke",
		"aliaalice_key\nbob_kebob_key": "alia[redacted]\nbob_ke[redacted]",
		"der schlüssel":                "der [redacted]",
		"Bob_Key":                      "Bob_Key",
		"a line_key in the line":       "a [redacted] in the line",
		"api_key: " + base64.StdEncoding.EncodeToString([]byte("bob_key")): "api_key: [redacted]==",
	} {
		if got := r.text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := new(redactor).text("nobody_key"); got != "nobody_key" {
		t.Errorf("without keys %q", got)
	}
}

// A key is found wherever the reads and the blocks cut it.
func TestRedactorReadsAcrossBlocks(t *testing.T) {
	const key = "0123456789abcdef"
	r := newRedactor([]string{key, "0123"})
	for offset := -2 * len(key); offset <= 2*len(key); offset++ {
		before, after := strings.Repeat("0", redactBlock+offset), strings.Repeat("f", 3*len(key))
		for name, reader := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "early end": iotest.DataErrReader,
		} {
			var b strings.Builder
			found, err := r.copy(&b, reader(strings.NewReader(before+key+after)))
			if err != nil || !found || b.String() != before+redacted+after {
				t.Fatalf("%s, offset %d: found %t, %v, %d bytes", name, offset, found, err, b.Len())
			}
		}
	}
	failing := errors.New("disk")
	if _, err := r.copy(io.Discard, iotest.ErrReader(failing)); !errors.Is(err, failing) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func TestRedactedFiles(t *testing.T) {
	dir := t.TempDir()
	clean, dirty := filepath.Join(dir, "clean.log"), filepath.Join(dir, "dirty.log")
	for path, text := range map[string]string{clean: "all is well\n", dirty: "the key is alice_key\nbye\n"} {
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat(clean)
	if err != nil {
		t.Fatal(err)
	}
	r := newRedactor([]string{"alice_key"})
	for _, path := range []string{clean, dirty} {
		if err := r.file(path); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := os.Stat(clean); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file without a key was replaced (%v)", err)
	}
	text, err := os.ReadFile(dirty)
	if err != nil || string(text) != "the key is [redacted]\nbye\n" {
		t.Errorf("got %q, %v", text, err)
	}
	if status, err := os.Stat(dirty); err != nil || status.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v, want 0640", status.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%d files, %v, want 2", len(entries), err)
	}
}

// The first byte of a tail can stand in the middle of a key.
func TestLogTailHidesACutKey(t *testing.T) {
	const key = "0123456789abcdef"
	path := filepath.Join(t.TempDir(), "log")
	for behind := tailBytes - 2*len(key); behind <= tailBytes+2*len(key); behind++ {
		if err := os.WriteFile(path, []byte(strings.Repeat("-", tailBytes)+key+strings.Repeat("+", behind)), 0o600); err != nil {
			t.Fatal(err)
		}
		if tail := logTail(path, newRedactor([]string{key})); strings.ContainsAny(tail, "0123456789") {
			t.Fatalf("%d bytes behind the key: %.40s", behind, tail)
		}
	}
}

// firstKey is a key of the policy that optionsWith gives.
func firstKey(t *testing.T, options cluster.Options) string {
	t.Helper()
	set, err := policy.Read(options.Variants[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	key := set.Identities()[0].Key.Reveal()
	if len(key) < shortestKey {
		t.Fatalf("the policy's key has %d bytes", len(key))
	}
	return key
}

func TestStartErrorShowsNoKey(t *testing.T) {
	options := optionsWith(t, map[string]string{})
	key := firstKey(t, options)
	options.Programs[limiter] = program(t, "limitador", "echo bad key "+shell(key)+" >&2; exit 1")
	_, err := (&Provider{}).Up(t.Context(), options)
	var start *cluster.StartError
	if !errors.As(err, &start) {
		t.Fatalf("got %v, want a StartError", err)
	}
	if start.Log != "bad key [redacted]" {
		t.Errorf("log %q", start.Log)
	}
	if text := logText(t, options, limiter); text != "bad key [redacted]\n" {
		t.Errorf("the log in the run's folder says %q", text)
	}
}

func logText(t *testing.T, options cluster.Options, component string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(options.RunDir, "logs", component+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Keys of the policy, and those that another process issued, whether or not
// they are still there.
func TestDeathAndLogsShowNoKey(t *testing.T) {
	options := optionsWith(t, map[string]string{})
	key := firstKey(t, options)
	options.Programs[limiter] = program(t, "limitador", "echo asked by "+shell(key))
	system := bring(t, options)
	other, err := (&Provider{}).Attach(t.Context(), system.Stack())
	if err != nil {
		t.Fatal(err)
	}
	editor, ok := other.(cluster.SecretEditor)
	if !ok {
		t.Fatal("the system edits no Secrets")
	}
	set, err := policy.Read(options.Variants[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	const issued = "carls-own-issued-key"
	_, secret, err := set.Mint(set.Tiers()[0].Name, "carl", tier.Key(issued))
	if err != nil {
		t.Fatal(err)
	}
	if err := editor.PutSecret(t.Context(), mainVariant, secret); err != nil {
		t.Fatal(err)
	}
	if err := editor.DeleteSecret(t.Context(), mainVariant, secret); err != nil {
		t.Fatal(err)
	}
	appendLine(t, filepath.Join(options.RunDir, "logs", limiter+".log"), "asked by "+issued)

	if err := syscall.Kill(component(t, system.Stack(), limiter).PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case death := <-system.Died():
		if !strings.Contains(death.Log, "asked by [redacted]") || strings.Contains(death.Log, key) || strings.Contains(death.Log, issued) {
			t.Errorf("log %q", death.Log)
		}
	case <-time.After(testPatience):
		t.Fatal("the death was not seen")
	}
	if err := system.Down(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	text := logText(t, options, limiter)
	if strings.Contains(text, key) || strings.Contains(text, issued) || strings.Count(text, "asked by [redacted]\n") != 2 {
		t.Errorf("the log in the run's folder says %q", text)
	}
}

func appendLine(t *testing.T, path, line string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintln(file, line)
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}
