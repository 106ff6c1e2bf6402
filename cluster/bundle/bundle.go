package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Bundle is an archive that was verified and extracted.
type Bundle struct {
	// Platform is that of the images, such as linux/amd64.
	Platform string
	// Entries are the pieces, in the order in which they were bundled.
	Entries []Entry

	dir string
}

func (b *Bundle) path(e Entry) string { return filepath.Join(b.dir, filepath.FromSlash(e.File)) }

func (b *Bundle) find(kind Kind, name string) (Entry, error) {
	for _, e := range b.Entries {
		if e.Kind == kind && e.Name == name {
			return e, nil
		}
	}
	return Entry{}, fmt.Errorf("the bundle has no %s %s; floodgate bundle create makes one that fits", kind, name)
}

// Chart is the path of a chart's archive, which install.Chart takes for a
// repository.
func (b *Bundle) Chart(name string) (string, error) {
	e, err := b.find(Chart, name)
	if err != nil {
		return "", err
	}
	return b.path(e), nil
}

// Manifest is what a manifest holds.
func (b *Bundle) Manifest(name string) ([]byte, error) {
	e, err := b.find(Manifest, name)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(b.path(e))
}

// ImageArchives are the paths of the images, as docker save writes them.
func (b *Bundle) ImageArchives() []string {
	var paths []string
	for _, e := range b.Entries {
		if e.Kind == Image {
			paths = append(paths, b.path(e))
		}
	}
	return paths
}

// Images are the names of the images, as pods say them.
func (b *Bundle) Images() []string {
	var names []string
	for _, e := range b.Entries {
		if e.Kind == Image {
			names = append(names, e.Name)
		}
	}
	return names
}

// Push writes the images to a registry, each by the name that Mirrored gives it.
// The hosts that options call insecure are spoken to by http where they have no
// https.
func (b *Bundle) Push(ctx context.Context, registry string, o Options) error {
	var errs []error
	for _, e := range b.Entries {
		if e.Kind != Image {
			continue
		}
		if err := b.push(ctx, e, registry, o); err != nil {
			errs = append(errs, fmt.Errorf("push %s to %s: %w", e.title(), registry, err))
			continue
		}
		o.say("%s: pushed", e.title())
	}
	return errors.Join(errs...)
}

func (b *Bundle) push(ctx context.Context, e Entry, registry string, o Options) error {
	mirrored, err := Mirrored(e.Name, registry)
	if err != nil {
		return err
	}
	target, err := name.NewTag(mirrored, o.naming(mirrored)...)
	if err != nil {
		return err
	}
	source, err := name.NewTag(e.Name)
	if err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(b.path(e), &source)
	if err != nil {
		return err
	}
	return remote.Write(target, image, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

// Mirrored is an image's name in a registry that mirrors others: the host is
// replaced, "quay.io/kuadrant/limitador:v1" to "mirror:5000/kuadrant/limitador:v1".
// Images of Docker's hub without a folder are in "library", as they are there.
func Mirrored(image, registry string) (string, error) {
	reference, err := name.ParseReference(image)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", image, err)
	}
	separator := ":"
	if _, ok := reference.(name.Digest); ok {
		separator = "@"
	}
	return strings.TrimSuffix(registry, "/") + "/" + reference.Context().RepositoryStr() + separator + reference.Identifier(), nil
}
