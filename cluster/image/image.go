// Package image makes container images of static programs, without a container
// engine.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// user is nobody's number: nothing of an image runs as root.
const user = "65532:65532"

// Program is what an image is made of.
type Program struct {
	// Path is a static program for linux.
	Path string
	// Repository is the image's name without its tag, such as
	// floodgate.dev/pod.
	Repository string
	// Labels are the image's.
	Labels map[string]string
}

// Image is an image that was made.
type Image struct {
	// Name is the image's name; its tag is of its content.
	Name string
	// Command is where the program lies in it.
	Command string

	image v1.Image
}

// Build makes an image that holds the program and runs it. The same program
// makes the same image, bit by bit.
func Build(p Program) (*Image, error) {
	text, err := os.ReadFile(p.Path)
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", p.Path, err)
	}
	architecture, err := architectureOf(text)
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", p.Path, err)
	}
	command := "/" + filepath.Base(p.Path)
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		packed, err := pack(command, text)
		return io.NopCloser(bytes.NewReader(packed)), err
	})
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", p.Path, err)
	}
	made, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", p.Path, err)
	}
	file, err := made.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", p.Path, err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", architecture
	file.Config.Entrypoint, file.Config.User, file.Config.Labels = []string{command}, user, p.Labels
	made, err = mutate.ConfigFile(made, file)
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", p.Path, err)
	}
	sum := sha256.Sum256(text)
	return &Image{Name: p.Repository + ":" + hex.EncodeToString(sum[:6]), Command: command, image: made}, nil
}

// WriteArchive writes the image as docker save would.
func (i *Image) WriteArchive(path string) error {
	tag, err := name.NewTag(i.Name)
	if err == nil {
		err = tarball.WriteToFile(path, tag, i.image)
	}
	if err != nil {
		return fmt.Errorf("write image %s: %w", i.Name, err)
	}
	return nil
}

// Digest is of the image's manifest.
func (i *Image) Digest() (string, error) {
	digest, err := i.image.Digest()
	return digest.String(), err
}

// pack is a layer with the program alone, and the folder for temporary files
// that programs expect.
func pack(path string, text []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	err := errors.Join(
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}),
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path[1:], Mode: 0o755, Size: int64(len(text))}),
	)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	return packed.Bytes(), w.Close()
}

// architectureOf is that of a program which an image without anything else can
// run: for linux, and linked to no library.
func architectureOf(text []byte) (string, error) {
	file, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		return "", fmt.Errorf("it is no program for linux; build it with GOOS=linux CGO_ENABLED=0: %w", err)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return "", errors.New("it is linked to libraries that the image does not have; build it with CGO_ENABLED=0")
		}
	}
	switch file.Machine { //nolint:exhaustive // the others have no name here
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	}
	return "", fmt.Errorf("its machine is %s; want amd64 or arm64", file.Machine)
}
