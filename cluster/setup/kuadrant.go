package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/bundle"
	"github.com/floodgate-dev/floodgate/cluster/charts"
	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/install/kuadrant"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// kuadrantPlan is the plan of the real system under test. What it needs comes
// from the network, or from a bundle and then from nowhere else.
func kuadrantPlan(ctx context.Context, options cluster.Options, objects []*unstructured.Unstructured, state string, shown bool) (*planned, error) {
	k := options.Kubernetes
	set, err := kuadrant.Versions(k.Versions)
	if err != nil {
		return nil, err
	}
	o := kuadrant.Options{
		Versions: k.Versions, Small: k.Small, OpenShift: k.OpenShift, LimiterImage: k.LimiterImage,
		RegistryMirror: k.RegistryMirror, Preloaded: k.Bundle != "" || len(k.Load) > 0, Policies: objects,
	}
	p := &planned{}
	program := &charts.Program{Kubeconfig: k.Kubeconfig}
	if program.Path, err = charts.Find(""); err == nil {
		p.charts = program
	} else if !shown {
		return nil, &cluster.StartError{Component: charts.Name, Cause: err}
	}
	if k.RegistryMirror != "" {
		program.Images = map[string]string{}
		for _, image := range set.Images {
			if program.Images[image], err = kuadrant.MirrorImage(k.RegistryMirror, image); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case k.Bundle != "":
		opened, err := openBundle(ctx, k.Bundle, state)
		if err != nil {
			return nil, &cluster.StartError{Component: "bundle " + k.Bundle, Cause: err, Next: "floodgate bundle create makes one"}
		}
		o.Pieces = bundled{opened, set}
		if k.RegistryMirror == "" {
			p.archives = opened.ImageArchives()
		} else {
			p.push = func(ctx context.Context) error { return opened.Push(ctx, k.RegistryMirror, bundle.Options{}) }
		}
	case shown:
		o.Pieces = perhaps{kuadrant.Network{Set: set}}
	}
	// Attacks from inside of the cluster need our own image, nothing else does.
	if pod, err := podImage(k.PodProgram); err == nil && k.Image == "" && !shown {
		p.images, p.pod = append(p.images, pod), pod.Name
	}
	p.Plan, err = kuadrant.Plan(ctx, o)
	return p, err
}

// bundled has the pieces of an opened bundle and no others.
type bundled struct {
	*bundle.Bundle

	set kuadrant.Set
}

// Chart returns the archive of one of the set's charts.
func (b bundled) Chart(part string) (string, error) {
	for _, c := range b.set.Charts {
		if c.Name == part {
			return b.Bundle.Chart(c.Chart)
		}
	}
	return "", fmt.Errorf("versions %s have no chart %q", b.set.Name, part)
}

// Manifest returns a manifest of the bundle.
func (b bundled) Manifest(_ context.Context, name string) ([]byte, error) {
	return b.Bundle.Manifest(name)
}

// perhaps has what can be fetched, and goes without the rest.
type perhaps struct{ kuadrant.Network }

// Manifest returns a manifest, or an error that wraps kuadrant.ErrNotFetched.
func (p perhaps) Manifest(ctx context.Context, name string) ([]byte, error) {
	text, err := p.Network.Manifest(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", kuadrant.ErrNotFetched, err)
	}
	return text, nil
}

func openBundle(ctx context.Context, file, state string) (*bundle.Bundle, error) {
	dir := filepath.Join(state, "bundle")
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return bundle.Open(ctx, file, dir)
}

// chartsFor is what takes charts back, nil if the program is not there.
func chartsFor(options cluster.Options) install.Charts {
	path, err := charts.Find("")
	if err != nil {
		return nil
	}
	return &charts.Program{Path: path, Kubeconfig: options.Kubernetes.Kubeconfig}
}

// Pieces are what a bundle of a set of versions holds.
func Pieces(versions string) ([]bundle.Piece, error) {
	set, err := kuadrant.Versions(versions)
	if err != nil {
		return nil, err
	}
	var all []bundle.Piece
	for _, c := range set.Charts {
		all = append(all, bundle.Piece{Kind: bundle.Chart, Name: c.Chart, Source: c.Repository, Version: c.Version})
	}
	for _, m := range set.Manifests {
		piece := bundle.Piece{Kind: bundle.Manifest, Name: m.Name, Source: m.URL, Version: m.Version}
		if m.SHA256 != "" {
			piece.Digest = "sha256:" + m.SHA256
		}
		all = append(all, piece)
	}
	for _, image := range set.Images {
		all = append(all, bundle.Piece{Kind: bundle.Image, Name: image})
	}
	return all, nil
}

// oldPool is the API group of InferencePools that the seed's manifests name.
const oldPool = "inference.networking.x-k8s.io"

// translated are options whose manifests name the InferencePools of the versions
// that are installed: the API group changed between the two sets (sut.md 6). The
// user's own files stay as they are.
func translated(options cluster.Options, state string) (cluster.Options, error) {
	if options.Kubernetes.Plan != cluster.PlanKuadrant {
		return options, nil
	}
	set, err := kuadrant.Versions(options.Kubernetes.Versions)
	if err != nil {
		return options, err
	}
	group, _, _ := strings.Cut(set.InferencePool, "/")
	if group == "" || group == oldPool {
		return options, nil
	}
	var errs []error
	specs := make([]cluster.VariantSpec, len(options.Variants))
	for i, spec := range options.Variants {
		specs[i] = spec
		set, err := policy.Read(spec.Dir)
		if err != nil {
			return options, fmt.Errorf("variant %s: %w", spec.Name, err)
		}
		text, err := set.Text(policy.Others, policy.Keys, policy.Routing, policy.Callers, policy.RateLimit)
		if err != nil {
			return options, fmt.Errorf("variant %s: %w", spec.Name, err)
		}
		dir := filepath.Join(state, "translated", filepath.Base(spec.Name))
		errs = append(errs, os.MkdirAll(dir, 0o700),
			os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(strings.ReplaceAll(string(text), oldPool, group)), 0o600))
		specs[i].Dir = dir
	}
	options.Variants = specs
	return options, errors.Join(errs...)
}
