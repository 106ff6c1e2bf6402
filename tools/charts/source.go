package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"helm.sh/helm/v4/pkg/action"
	chartapi "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/loader"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/getter"
	"helm.sh/helm/v4/pkg/registry"
	"helm.sh/helm/v4/pkg/repo/v1"
)

// largest bounds an index and a chart's archive, in bytes. The largest index in
// use, of the Prometheus community, has some 10 MiB.
const largest = 256 << 20

// locate returns the path of the chart's archive or folder, fetching it first
// where it is not a local one.
func (h *helm) locate(ctx context.Context) (string, error) {
	c := h.chart
	if c.Repository == "" {
		return "", errors.New("the chart's repository is not given")
	}
	if strings.HasSuffix(c.Repository, ".tgz") && !strings.Contains(c.Repository, "://") {
		return c.Repository, regular(c.Repository)
	}
	if isChart(c.Repository) {
		return c.Repository, nil
	}
	if err := missing(map[string]string{"name": c.Name, "version": c.Version}); err != nil {
		return "", err
	}
	switch scheme, _, remote := strings.Cut(c.Repository, "://"); {
	case !remote:
		return h.inFolder(ctx)
	case scheme == "oci":
		return h.fromRegistry(ctx)
	case scheme == "https", scheme == "http":
		return h.fromRepository(ctx)
	default:
		return "", fmt.Errorf("repository %s: only https://, http://, oci:// and folders are known", c.Repository)
	}
}

// isChart tells whether a folder is a chart's.
func isChart(folder string) bool {
	return regular(filepath.Join(folder, "Chart.yaml")) == nil
}

func regular(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	return err
}

// inFolder finds the chart in a folder: by its index, or by an archive's name.
func (h *helm) inFolder(ctx context.Context) (string, error) {
	folder := h.chart.Repository
	if info, err := os.Stat(folder); err != nil {
		return "", fmt.Errorf("repository: %w", err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("repository %s is neither a folder nor a chart's archive", folder)
	}
	indexPath := filepath.Join(folder, "index.yaml")
	if _, err := os.Stat(indexPath); errors.Is(err, os.ErrNotExist) {
		if inner := filepath.Join(folder, h.chart.Name); isChart(inner) {
			return inner, nil
		}
		path := filepath.Join(folder, h.chart.Name+"-"+h.chart.Version+".tgz")
		if err := regular(path); err != nil {
			return "", fmt.Errorf("repository %s has neither index.yaml nor the chart's folder or archive: %w", folder, err)
		}
		return path, nil
	}
	entry, err := h.entry(indexPath)
	if err != nil {
		return "", err
	}
	if strings.Contains(entry.URLs[0], "://") {
		return h.download(ctx, entry.URLs[0], entry.Digest)
	}
	relative := filepath.FromSlash(entry.URLs[0])
	if !filepath.IsLocal(relative) {
		return "", fmt.Errorf("repository %s: the index has chart %s at %q, outside of the folder", folder, h.chart.Name, entry.URLs[0])
	}
	path := filepath.Join(folder, relative)
	if err := regular(path); err != nil {
		return "", fmt.Errorf("repository %s: %w", folder, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return path, h.sameDigest(text, entry.Digest)
}

func (h *helm) fromRepository(ctx context.Context) (string, error) {
	index, err := repo.ResolveReferenceURL(h.chart.Repository, "index.yaml")
	if err != nil {
		return "", fmt.Errorf("repository %s: %w", h.chart.Repository, err)
	}
	text, err := h.get(ctx, index)
	if err != nil {
		return "", fmt.Errorf("repository %s: %w", h.chart.Repository, err)
	}
	path := filepath.Join(h.dir, "index.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return "", err
	}
	entry, err := h.entry(path)
	if err != nil {
		return "", err
	}
	address, err := repo.ResolveReferenceURL(h.chart.Repository, entry.URLs[0])
	if err != nil {
		return "", fmt.Errorf("repository %s: %w", h.chart.Repository, err)
	}
	return h.download(ctx, address, entry.Digest)
}

// entry is the chart's in an index.
func (h *helm) entry(path string) (*repo.ChartVersion, error) {
	index, err := repo.LoadIndexFile(path)
	if err != nil {
		return nil, fmt.Errorf("repository %s: its index: %w", h.chart.Repository, err)
	}
	if len(index.Entries[h.chart.Name]) == 0 {
		return nil, fmt.Errorf("repository %s has no chart %s", h.chart.Repository, h.chart.Name)
	}
	entry, err := index.Get(h.chart.Name, h.chart.Version)
	if err != nil {
		return nil, fmt.Errorf("repository %s has no version %s of chart %s: %w", h.chart.Repository, h.chart.Version, h.chart.Name, err)
	}
	if len(entry.URLs) == 0 {
		return nil, fmt.Errorf("repository %s: the index has no URL for chart %s %s", h.chart.Repository, h.chart.Name, entry.Version)
	}
	return entry, nil
}

func (h *helm) fromRegistry(ctx context.Context) (string, error) {
	// A tag has no "+"; Helm writes "_" for it.
	tag := strings.ReplaceAll(h.chart.Version, "+", "_")
	return h.download(ctx, strings.TrimSuffix(h.chart.Repository, "/")+"/"+h.chart.Name+":"+tag, "")
}

// download fetches an archive and compares it with the index's digest.
func (h *helm) download(ctx context.Context, address, digest string) (string, error) {
	text, err := h.get(ctx, address)
	if err != nil {
		return "", fmt.Errorf("fetch chart %s %s: %w", h.chart.Name, h.chart.Version, err)
	}
	if err := h.sameDigest(text, digest); err != nil {
		return "", err
	}
	path := filepath.Join(h.dir, "chart.tgz")
	return path, os.WriteFile(path, text, 0o600)
}

// sameDigest compares an archive with what the index says of it. An index may
// say nothing.
func (h *helm) sameDigest(text []byte, want string) error {
	want = strings.TrimPrefix(want, "sha256:")
	if got := sha256.Sum256(text); want != "" && !strings.EqualFold(want, hex.EncodeToString(got[:])) {
		return fmt.Errorf("chart %s %s of %s is not what the repository's index says: its digest is sha256:%x, want sha256:%s",
			h.chart.Name, h.chart.Version, h.chart.Repository, got, want)
	}
	return nil
}

// get fetches an URL by Helm's own means, which know no context.
func (h *helm) get(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	options := []getter.Option{getter.WithURL(address)}
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, getter.WithBasicAuth(u.User.Username(), password))
	}
	if u.Scheme == registry.OCIScheme {
		client, err := h.registryClient(u.Host)
		if err != nil {
			return nil, err
		}
		options = append(options, getter.WithRegistryClient(client))
	}
	g, err := getter.All(h.settings).ByScheme(u.Scheme)
	if err != nil {
		return nil, err
	}
	type fetched struct {
		text *bytes.Buffer
		err  error
	}
	done := make(chan fetched, 1)
	go func() {
		text, err := g.Get(address, options...)
		done <- fetched{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("fetch %s: %w", u.Redacted(), context.Cause(ctx))
	case f := <-done:
		switch {
		case f.err != nil:
			return nil, f.err
		case f.text.Len() > largest:
			return nil, fmt.Errorf("fetch %s: it has %d bytes, more than %d", u.Redacted(), f.text.Len(), largest)
		}
		return f.text.Bytes(), nil
	}
}

// registryClient speaks plain HTTP with this machine only, as container engines
// do.
func (h *helm) registryClient(host string) (*registry.Client, error) {
	options := []registry.ClientOption{
		registry.ClientOptWriter(io.Discard), registry.ClientOptCredentialsFile(h.settings.RegistryConfig), registry.ClientOptEnableCache(true),
	}
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	if ip := net.ParseIP(name); name == "localhost" || ip != nil && ip.IsLoopback() {
		options = append(options, registry.ClientOptPlainHTTP())
	}
	return registry.NewClient(options...)
}

// load finds the chart, reads it and compares it with what was asked for.
func (h *helm) load(ctx context.Context) (*chart.Chart, error) {
	path, err := h.locate(ctx)
	if err != nil {
		return nil, err
	}
	return h.read(path)
}

func (h *helm) read(path string) (*chart.Chart, error) {
	loaded, err := loader.Load(path)
	if err != nil {
		return nil, fmt.Errorf("chart %s %s of %s: %w", h.chart.Name, h.chart.Version, h.chart.Repository, err)
	}
	c, ok := loaded.(*chart.Chart)
	if !ok {
		return nil, fmt.Errorf("chart %s %s of %s has an apiVersion that Helm installs nothing of", h.chart.Name, h.chart.Version, h.chart.Repository)
	}
	if h.chart.Name != "" && c.Metadata.Name != h.chart.Name {
		return nil, fmt.Errorf("%s is chart %s, want %s", h.chart.Repository, c.Metadata.Name, h.chart.Name)
	}
	if want := h.chart.Version; want != "" && strings.TrimPrefix(c.Metadata.Version, "v") != strings.TrimPrefix(want, "v") {
		return nil, fmt.Errorf("chart %s of %s has version %s, want %s", c.Metadata.Name, h.chart.Repository, c.Metadata.Version, want)
	}
	if t := c.Metadata.Type; t != "" && t != "application" {
		return nil, fmt.Errorf("chart %s is a %s chart, which cannot be installed", c.Metadata.Name, t)
	}
	var needs []chartapi.Dependency
	for _, dependency := range c.Metadata.Dependencies {
		needs = append(needs, dependency)
	}
	if err := action.CheckDependencies(c, needs); err != nil {
		return nil, fmt.Errorf("chart %s %s: %w", c.Metadata.Name, c.Metadata.Version, err)
	}
	return c, nil
}
