package setup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/image"
	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/install/standin"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/kubernetes"
	"github.com/floodgate-dev/floodgate/cluster/local"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// The images of our own.
const (
	podRepository        = "floodgate.dev/pod"
	prometheusRepository = "floodgate.dev/prometheus"
	standInLabel         = "floodgate.dev/stand-in"
)

// planned is a plan with what it needs.
type planned struct {
	install.Plan

	charts install.Charts
	// pod is the name of the image of our own pods, "" if there is none.
	pod string
	// images were made here, archives came in a bundle.
	images   []*image.Image
	archives []string
	// push puts the images of a bundle into a registry, for nodes that pull.
	push func(context.Context) error
}

// planOf makes the plan that the options ask for, and checks it. What it unpacks
// goes to the private folder state. A plan that is only shown may lack what
// cannot be fetched.
func planOf(ctx context.Context, options cluster.Options, main kubernetes.VariantFiles, state string, shown bool) (*planned, error) {
	objects, err := manifests(main)
	if err != nil {
		return nil, err
	}
	var p *planned
	switch options.Kubernetes.Plan {
	case cluster.PlanStandIn:
		p, err = standInPlan(ctx, options, objects)
	case cluster.PlanKuadrant:
		p, err = kuadrantPlan(ctx, options, objects, state, shown)
	default:
		return nil, fmt.Errorf("stack %q is unknown", options.Kubernetes.Plan)
	}
	if err != nil {
		return nil, err
	}
	return p, p.Check()
}

// manifests are all that the user's policy has.
func manifests(main kubernetes.VariantFiles) ([]*unstructured.Unstructured, error) {
	text, err := main.Set.Text(policy.Others, policy.Keys, policy.Routing, policy.Callers, policy.RateLimit)
	if err != nil {
		return nil, err
	}
	objects, err := kube.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("the policy's manifests: %w", err)
	}
	return objects, nil
}

func standInPlan(ctx context.Context, options cluster.Options, objects []*unstructured.Unstructured) (*planned, error) {
	p := &planned{}
	o := standin.Options{
		Image: options.Kubernetes.Image, Faults: options.Faults, Seed: options.Seed,
		Variants: []standin.Variant{{Name: kubernetes.MainVariant, Objects: objects}},
	}
	if o.Image == "" {
		pod, err := podImage(options.Kubernetes.PodProgram)
		if err != nil {
			return nil, err
		}
		p.images, o.Image = append(p.images, pod), pod.Name
	}
	p.pod = o.Image
	program := options.Programs["prometheus"]
	if program != local.NoPrometheus {
		if program == "" {
			var err error
			program, err = local.Prometheus(ctx, func(format string, args ...any) {
				if options.Progress != nil {
					_, _ = fmt.Fprintf(options.Progress, format+"\n", args...)
				}
			})
			if err != nil {
				return nil, &cluster.StartError{Component: "prometheus", Cause: err, Next: "--prometheus none does without: its book is then missing"}
			}
		}
		built, err := image.Build(image.Program{Path: program, Repository: prometheusRepository})
		if err != nil {
			return nil, &cluster.StartError{Component: "prometheus", Cause: err, Next: "--prometheus names a static program for linux; --prometheus none does without: its book is then missing"}
		}
		p.images, o.PrometheusImage = append(p.images, built), built.Name
	}
	var err error
	p.Plan, err = standin.Plan(o)
	return p, err
}

// podImage is the image of our own pods.
func podImage(program string) (*image.Image, error) {
	path, err := findPodProgram(program)
	if err != nil {
		return nil, &cluster.StartError{Component: podProgram, Cause: err}
	}
	built, err := image.Build(image.Program{Path: path, Repository: podRepository, Labels: map[string]string{standInLabel: "true"}})
	if err != nil {
		return nil, &cluster.StartError{Component: podProgram, Cause: err, Next: "make pod builds it for linux"}
	}
	return built, nil
}

// load puts the plan's images into the nodes.
func (p *planned) load(ctx context.Context, loader Loader, state string, options cluster.Options) error {
	if p.push != nil {
		if err := p.push(ctx); err != nil {
			return err
		}
	}
	if len(p.images)+len(p.archives) == 0 {
		return nil
	}
	if loader == nil {
		name := ""
		if len(p.images) > 0 {
			name = p.images[0].Name
		}
		return &cluster.StartError{
			Component: "images", Cause: fmt.Errorf("nothing puts image %s into the nodes of this cluster", name),
			Next: "push it to a registry that the nodes pull from, and name it with --pod-image",
		}
	}
	for _, built := range p.images {
		if there, err := loader.HasImage(built.Name); err == nil && there {
			continue
		}
		archive := filepath.Join(state, "image.tar")
		if err := built.WriteArchive(archive); err != nil {
			return err
		}
		if err := loader.LoadImageArchive(ctx, archive); err != nil {
			return err
		}
		if err := os.Remove(archive); err != nil {
			return err
		}
		if options.Progress != nil {
			_, _ = fmt.Fprintf(options.Progress, "image %s is in the nodes\n", built.Name)
		}
	}
	for _, archive := range p.archives {
		if err := loader.LoadImageArchive(ctx, archive); err != nil {
			return err
		}
	}
	return nil
}
