package bundle

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// fetch puts a piece's file into the folder and compares it with the digest that
// the piece has.
func (o Options) fetch(ctx context.Context, p Piece, dir string) (Entry, error) {
	entry := Entry{Kind: p.Kind, Name: p.Name, Source: shown(p.from()), Version: p.Version, File: p.file()}
	path := filepath.Join(dir, filepath.FromSlash(entry.File))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return Entry{}, err
	}
	var err error
	switch p.Kind {
	case Chart:
		err = o.fetchChart(ctx, p, path)
	case Manifest:
		err = o.fetchManifest(ctx, p, path)
	default:
		entry.Image, err = o.fetchImage(ctx, p, path)
	}
	if err != nil {
		return Entry{}, err
	}
	if entry.Digest, entry.Size, err = digestOf(path); err != nil {
		return Entry{}, err
	}
	if entry.Size > largest[p.Kind] {
		return Entry{}, fmt.Errorf("it has %d bytes, at most %d are bundled", entry.Size, largest[p.Kind])
	}
	if p.Digest != "" && p.Kind != Image && entry.Digest != p.Digest {
		return Entry{}, fmt.Errorf("its digest is %s, want %s", entry.Digest, p.Digest)
	}
	return entry, nil
}

// shown is an address without a password.
func shown(source string) string {
	if u, err := url.Parse(source); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	return source
}

func digestOf(path string) (string, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	return fmt.Sprintf("sha256:%x", sum.Sum(nil)), size, err
}

func (o Options) fetchChart(ctx context.Context, p Piece, path string) error {
	folder, err := os.MkdirTemp(filepath.Dir(path), "pull-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	pulled, _, err := o.Charts.Pull(ctx, install.Chart{Repository: p.Source, Name: p.Name, Version: p.Version}, folder)
	if err != nil {
		return err
	}
	return os.Rename(pulled, path)
}

func (o Options) fetchManifest(ctx context.Context, p Piece, path string) (err error) {
	u, err := url.Parse(p.Source)
	if err != nil {
		return errors.New("its source is no URL")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !o.insecure(u.Host)) {
		return errors.New("a manifest is fetched by https only")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Source, nil)
	if err != nil {
		return err
	}
	client := o.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if last := response.Request.URL; u.Scheme == "https" && last.Scheme != "https" {
		return fmt.Errorf("it leads to %s, which is not https", last.Redacted())
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", response.Status)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.Copy(file, io.LimitReader(response.Body, largest[Manifest]+1))
	return err
}

// insecure tells whether http may be spoken with a host.
func (o Options) insecure(host string) bool {
	bare := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		bare = h
	}
	ip := net.ParseIP(bare)
	return bare == "localhost" || ip != nil && ip.IsLoopback() || slices.Contains(o.Insecure, host)
}

// naming is how a reference on a host is read.
func (o Options) naming(reference string) []name.Option {
	if host, _, ok := strings.Cut(reference, "/"); ok && o.insecure(host) {
		return []name.Option{name.Insecure}
	}
	return nil
}

// fetchImage returns the digest of the image's manifest.
func (o Options) fetchImage(ctx context.Context, p Piece, path string) (string, error) {
	reference, err := name.ParseReference(p.from(), o.naming(p.from())...)
	if err != nil {
		return "", err
	}
	platform := v1.Platform{OS: "linux", Architecture: o.arch()}
	found, err := remote.Get(reference, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithPlatform(platform))
	if err != nil {
		return "", err
	}
	image, err := found.Image()
	if err != nil {
		return "", fmt.Errorf("no image for %s: %w", platform, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	if p.Digest != "" && p.Digest != found.Digest.String() && p.Digest != digest.String() {
		return "", fmt.Errorf("its digest is %s, want %s", found.Digest, p.Digest)
	}
	// An image alone, without an index, is for one platform, which is not looked
	// at when it is pulled.
	config, err := image.ConfigFile()
	if err != nil {
		return "", err
	}
	if config.OS != platform.OS || config.Architecture != platform.Architecture {
		return "", fmt.Errorf("it is for %s/%s, want %s", config.OS, config.Architecture, platform)
	}
	tag, err := name.NewTag(p.Name)
	if err != nil {
		return "", err
	}
	return digest.String(), tarball.WriteToFile(path, tag, image)
}
