// Package bundle keeps everything that a plan installs in one archive, for
// clusters that reach no registry: charts, manifests and images, each with its
// digest.
//
// An archive is a tar, compressed with zstd. Its first file is manifest.json, which
// lists the pieces; each other file is one of them. Nothing of an archive is used
// before all of it was found to be as the list says.
package bundle

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Kind is what a piece is.
type Kind string

// The kinds of pieces.
const (
	// Chart is a Helm chart's archive.
	Chart Kind = "chart"
	// Manifest is a file of Kubernetes objects in YAML.
	Manifest Kind = "manifest"
	// Image is a container image, as docker save writes it.
	Image Kind = "image"
)

// Piece is one thing that a bundle holds.
type Piece struct {
	Kind Kind
	// Name is unique among those of its kind. An image's is what pods say, with
	// its tag.
	Name string
	// Source is where it comes from: a chart's repository, a manifest's URL, the
	// reference that an image is pulled by, which is its name if this is empty.
	Source string
	// Version is a chart's; of others it is for people.
	Version string
	// Digest is "sha256:" and hex digits of what must come from there: of a
	// chart's archive, of a manifest's bytes, of an image's manifest or index.
	// Empty, whatever comes is taken, and its digest written down.
	Digest string
}

// Entry is a piece in a bundle.
type Entry struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`
	Source  string `json:"source"`
	Version string `json:"version,omitempty"`
	// Digest is "sha256:" and hex digits of the file, Size its bytes, File its
	// name in the archive.
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
	File   string `json:"file"`
	// Image is the digest of an image's manifest in the registry that it came
	// from.
	Image string `json:"image,omitempty"`
}

// contents is manifest.json.
type contents struct {
	Format int `json:"format"`
	// Platform is that of the images, such as linux/amd64.
	Platform string  `json:"platform"`
	Pieces   []Entry `json:"pieces"`
}

const (
	// format is of the archives that this package writes and reads.
	format = 1
	// manifestFile comes first in an archive.
	manifestFile = "manifest.json"
	// mostPieces and largestManifest bound manifest.json; a plan has some 50
	// pieces.
	mostPieces      = 4096
	largestManifest = 4 << 20
)

// largest bounds a piece's file, in bytes.
var largest = map[Kind]int64{Chart: 64 << 20, Manifest: 64 << 20, Image: 16 << 30}

func (k Kind) known() error {
	if _, ok := largest[k]; !ok {
		return fmt.Errorf("%q is no kind of piece; chart, manifest and image are", k)
	}
	return nil
}

// title names a piece for people.
func title(kind Kind, name, version string) string {
	if kind == Image || version == "" {
		return string(kind) + " " + name
	}
	return string(kind) + " " + name + " " + version
}

func (p Piece) title() string { return title(p.Kind, p.Name, p.Version) }

func (e Entry) title() string { return title(e.Kind, e.Name, e.Version) }

// checkPieces tells what is wrong with pieces before any is fetched.
func checkPieces(pieces []Piece) error {
	if len(pieces) == 0 {
		return errors.New("there are no pieces to bundle")
	}
	if len(pieces) > mostPieces {
		return fmt.Errorf("there are %d pieces, at most %d are bundled", len(pieces), mostPieces)
	}
	var errs []error
	seen := map[string]bool{}
	for _, p := range pieces {
		if err := p.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.title(), err))
		}
		key := string(p.Kind) + " " + p.Name
		if seen[key] {
			errs = append(errs, fmt.Errorf("%s is there twice", key))
		}
		seen[key] = true
	}
	return errors.Join(errs...)
}

func (p Piece) check() error {
	if err := p.Kind.known(); err != nil {
		return err
	}
	if p.Name == "" {
		return errors.New("it has no name")
	}
	if p.Digest != "" && !isDigest(p.Digest) {
		return fmt.Errorf("its digest %q is not sha256: and 64 hex digits", p.Digest)
	}
	switch p.Kind {
	case Chart:
		if p.Source == "" || p.Version == "" {
			return errors.New("a chart needs a repository and a version")
		}
		if strings.ContainsAny(p.Name+p.Version, `/\`) {
			return errors.New("a chart's name and version have no slash")
		}
	case Manifest:
		if p.Source == "" {
			return errors.New("a manifest needs an URL")
		}
	case Image:
		// Without a tag a loaded image has no name that a pod could say.
		if _, err := name.NewTag(p.Name, name.StrictValidation); err != nil {
			return fmt.Errorf("an image's name needs its tag: %w", err)
		}
	}
	return nil
}

func isDigest(text string) bool {
	digits, ok := strings.CutPrefix(text, "sha256:")
	raw, err := hex.DecodeString(digits)
	return ok && err == nil && len(raw) == 32 && digits == strings.ToLower(digits)
}

// check tells what is wrong with a list that an archive has.
func (c contents) check() error {
	if c.Format != format {
		return fmt.Errorf("it has format %d, this program reads %d", c.Format, format)
	}
	if len(c.Pieces) > mostPieces {
		return fmt.Errorf("it lists %d pieces, at most %d are read", len(c.Pieces), mostPieces)
	}
	files, names := map[string]bool{manifestFile: true}, map[string]bool{}
	for _, e := range c.Pieces {
		if err := e.check(); err != nil {
			return fmt.Errorf("%q: %w", e.title(), err)
		}
		key := string(e.Kind) + " " + e.Name
		if files[e.File] || names[key] {
			return fmt.Errorf("%q is listed twice", e.title())
		}
		files[e.File], names[key] = true, true
	}
	return nil
}

func (e Entry) check() error {
	if err := e.Kind.known(); err != nil {
		return err
	}
	if e.Name == "" || !isDigest(e.Digest) || e.Image != "" && !isDigest(e.Image) {
		return errors.New("it has no name or no digest")
	}
	if e.Size < 0 || e.Size > largest[e.Kind] {
		return fmt.Errorf("its size is %d bytes, at most %d are read", e.Size, largest[e.Kind])
	}
	// One folder of ours and one plain name: nothing leads out of the folder that
	// it is extracted to, on no system.
	folder, file := path.Split(e.File)
	if folder != e.Kind.folder()+"/" || !plain(file) {
		return fmt.Errorf("its file %q is none that this program writes", e.File)
	}
	return nil
}

func (k Kind) folder() string { return string(k) + "s" }

// plain tells whether a file's name has only characters that mean nothing to any
// file system.
func plain(file string) bool {
	return file != "" && len(file) <= 200 && file[0] != '.' && !slices.ContainsFunc([]rune(file), func(r rune) bool { return !harmless(r) })
}

func harmless(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+", r)
}
