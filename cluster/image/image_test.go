package image_test

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/floodgate-dev/floodgate/cluster/image"
)

// program builds a program from a line of Go.
func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.org/hello\n\ngo 1.26\n")
	write("main.go", "package main\n\nfunc main() { println(\"hello\") }\n")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", "hello", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return filepath.Join(dir, "hello")
}

func TestImageHoldsTheProgramAndNothingElse(t *testing.T) {
	t.Parallel()
	path := program(t)
	made, err := image.Build(image.Program{Path: path, Repository: "floodgate.dev/hello", Labels: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^floodgate\.dev/hello:[0-9a-f]{12}$`).MatchString(made.Name) || made.Command != "/hello" {
		t.Errorf("image %s, command %s", made.Name, made.Command)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := made.WriteArchive(archive); err != nil {
		t.Fatal(err)
	}
	read, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := read.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != "amd64" || config.Config.User != "65532:65532" || strings.Join(config.Config.Entrypoint, " ") != "/hello" || config.Config.Labels["a"] != "b" {
		t.Errorf("configuration %+v", config)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	content := mutate.Extract(read)
	defer content.Close()
	for reader := tar.NewReader(content); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(text)
		if header.Name == "hello" && header.Mode != 0o755 {
			t.Errorf("mode %o", header.Mode)
		}
	}
	if len(files) != 2 || files["hello"] != string(want) {
		t.Errorf("%d files; the program is whole: %t", len(files), files["hello"] == string(want))
	}

	again, err := image.Build(image.Program{Path: path, Repository: "floodgate.dev/hello", Labels: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := made.Digest()
	if second, err := again.Digest(); err != nil || second != first || first == "" {
		t.Errorf("the same program makes %s and %s: %v", first, second, err)
	}
}

func TestProgramsThatAnImageCannotRunAreRefused(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The machine of an ELF file stands at byte 18; 243 is RISC-V.
	elf, err := os.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	elf[18] = 243
	other := filepath.Join(t.TempDir(), "riscv")
	if err := os.WriteFile(other, elf, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		text:                                 "no program for linux",
		filepath.Join(t.TempDir(), "absent"): "no such file",
		other:                                "want amd64 or arm64",
		"/bin/sh":                            "linked to libraries",
	} {
		if _, err := image.Build(image.Program{Path: path, Repository: "x.dev/y"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
