package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster/bundle"
)

func TestBundle(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("a: b\n", 2000))
	}))
	t.Cleanup(server.Close)
	// A program for charts must be there; no piece is one.
	program := filepath.Join(t.TempDir(), "floodgate-charts")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	pieces := func(versions string) ([]bundle.Piece, error) {
		if versions != "current" {
			return nil, errors.New("there are no such versions")
		}
		return []bundle.Piece{{Kind: bundle.Manifest, Name: "crds", Source: server.URL, Version: "v1"}}, nil
	}
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		cmd := bundleCommand(pieces)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(args)
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	file := filepath.Join(t.TempDir(), "all")
	if _, err := run("create", "--versions", "other", "--out", file, "--charts", program); err == nil || !strings.Contains(err.Error(), "no such versions") {
		t.Errorf("other versions: %v", err)
	}
	if _, err := run("create", "--out", file, "--charts", program+"-not"); err == nil || !strings.Contains(err.Error(), "make charts") {
		t.Errorf("no program: %v", err)
	}
	if _, err := run("create", "--charts", program); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("no file: %v", err)
	}
	said, err := run("create", "--out", file, "--charts", program)
	if err != nil || !strings.Contains(said, "holds 1 pieces") {
		t.Fatalf("create: %s, %v", said, err)
	}
	if said, err = run("verify", file); err != nil || !strings.Contains(said, "crds") || !strings.Contains(said, "is whole") {
		t.Errorf("verify: %s, %v", said, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text[:len(text)*3/4], 0o644); err != nil {
		t.Fatal(err)
	}
	var coded *exit
	if said, err = run("verify", file); !errors.As(err, &coded) || coded.code != exitFail || !strings.Contains(said+err.Error(), "crds") {
		t.Errorf("verify what was cut off: %s, %v", said, err)
	}
}
