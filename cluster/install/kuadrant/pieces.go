package kuadrant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Pieces say where the parts of a set come from. Names are those of the set's
// charts and manifests.
type Pieces interface {
	// Chart returns where a chart is: an https:// or oci:// URL, or a folder.
	Chart(name string) (repository string, err error)
	// Manifest returns a file of objects, or an error that wraps ErrNotFetched.
	Manifest(ctx context.Context, name string) ([]byte, error)
}

// ErrNotFetched is wrapped by Pieces that know of a manifest and do not have it:
// the plan can be shown without it, not be carried out.
var ErrNotFetched = errors.New("it was not fetched")

const (
	// fetchTimeout and fetchLimit bound a manifest; the largest is 1 MB.
	fetchTimeout = 2 * time.Minute
	fetchLimit   = 16 << 20
)

// Network has the pieces of a set from where it says they are.
type Network struct {
	Set Set
	// Client may be nil.
	Client *http.Client
}

// Chart returns the repository of the versions file.
func (n Network) Chart(part string) (string, error) { return repositoryOf(n.Set, part) }

// Manifest downloads a manifest and compares its digest, if the set has one.
func (n Network) Manifest(ctx context.Context, part string) ([]byte, error) {
	manifest := n.Set.manifest(part)
	if manifest.URL == "" {
		return nil, fmt.Errorf("versions %s have no manifest %q", n.Set.Name, part)
	}
	text, err := n.fetch(ctx, manifest.URL)
	if err != nil {
		return nil, fmt.Errorf("manifest %s %s: %w: give a bundle where there is no network", part, manifest.Version, err)
	}
	if got := digest(text); manifest.SHA256 != "" && got != manifest.SHA256 {
		return nil, fmt.Errorf("manifest %s %s: %s has SHA-256 %s, the versions file says %s", part, manifest.Version, manifest.URL, got, manifest.SHA256)
	}
	return text, nil
}

func (n Network) fetch(ctx context.Context, url string) (text []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTimeout, fmt.Errorf("%s was not there after %s", url, fetchTimeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := n.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(request)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", url, answer.Status)
	}
	text, err = io.ReadAll(io.LimitReader(answer.Body, fetchLimit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if len(text) > fetchLimit {
		return nil, fmt.Errorf("%s is larger than %d MB", url, fetchLimit>>20)
	}
	return text, nil
}

// Named has the pieces' names alone: what is shown where nothing is to be
// fetched.
type Named struct{ Set Set }

// Chart returns the repository of the versions file.
func (n Named) Chart(part string) (string, error) { return repositoryOf(n.Set, part) }

// Manifest returns an error that wraps ErrNotFetched.
func (n Named) Manifest(_ context.Context, part string) ([]byte, error) {
	manifest := n.Set.manifest(part)
	return nil, fmt.Errorf("manifest %s %s of %s: %w", part, manifest.Version, manifest.URL, ErrNotFetched)
}

func repositoryOf(set Set, part string) (string, error) {
	chart := set.chart(part)
	if chart.Repository == "" {
		return "", fmt.Errorf("versions %s have no chart %q", set.Name, part)
	}
	return strings.TrimSuffix(chart.Repository, "/"), nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
