// Package setup is what the providers on Kubernetes share: it installs a plan
// into a cluster that is there, finds the system under test in it, and takes
// back what it installed.
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/kubernetes"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
)

// Loader puts images into the nodes of a cluster. A cluster whose nodes pull
// theirs has none.
type Loader interface {
	LoadImageArchive(ctx context.Context, path string, args ...string) error
	HasImage(name string) (bool, error)
}

// Up installs what the options ask for, and opens the system once it is in force
// by evidence. The kubeconfig of the options names the cluster. What it installed
// is taken back when it fails, unless it is to be kept, and when the system goes
// down; what was installed before stays.
func Up(ctx context.Context, c *kube.Cluster, provider string, options cluster.Options, loader Loader) (cluster.System, error) {
	state, err := kubernetes.PrivateFolder(options.StateDir)
	if err != nil {
		return nil, err
	}
	if options, err = translated(options, state); err != nil {
		return nil, err
	}
	runner, podImage, err := prepare(ctx, c, options, state, loader)
	if err != nil {
		return nil, err
	}
	options.Kubernetes.Image = podImage
	before, err := install.Installed(ctx, c)
	if err != nil {
		return nil, err
	}
	takeBack := func(ctx context.Context) error {
		if runner == nil || before || options.Kubernetes.Keep {
			return nil
		}
		return runner.Down(ctx)
	}
	if runner != nil {
		if err := runner.Up(ctx); err != nil {
			return nil, errors.Join(err, takeBack(context.WithoutCancel(ctx)))
		}
	}
	opened, err := open(ctx, c, provider, options, state)
	if err != nil {
		return nil, errors.Join(err, takeBack(context.WithoutCancel(ctx)))
	}
	return &system{System: opened, takeBack: takeBack}, nil
}

// prepare makes the plan that is asked for and what carries it out, nil for
// none. Images of our own are put into the nodes.
func prepare(ctx context.Context, c *kube.Cluster, options cluster.Options, state string, loader Loader) (runner *install.Runner, podImage string, err error) {
	podImage = options.Kubernetes.Image
	if options.Kubernetes.Plan == cluster.PlanNone {
		return nil, podImage, nil
	}
	variants, err := kubernetes.Variants(state, options.Variants)
	if err != nil {
		return nil, "", err
	}
	main, ok := variants[kubernetes.MainVariant]
	if !ok {
		return nil, "", fmt.Errorf("no variant %q: nothing says what to install", kubernetes.MainVariant)
	}
	p, err := planOf(ctx, options, main, state, false)
	if err != nil {
		return nil, "", err
	}
	if err := p.load(ctx, loader, state, options); err != nil {
		return nil, "", err
	}
	if p.pod != "" {
		podImage = p.pod
	}
	return &install.Runner{
		Cluster: c, Plan: p.Plan, Charts: p.charts, Patience: options.Kubernetes.Patience, Progress: options.Progress,
		Diagnosis: filepath.Join(options.RunDir, "diagnosis"),
	}, podImage, nil
}

func open(ctx context.Context, c *kube.Cluster, provider string, options cluster.Options, state string) (cluster.System, error) {
	site, err := kubernetes.Discover(ctx, c, options.Kubernetes)
	if err != nil {
		return nil, err
	}
	rights, err := kubernetes.RightsOf(ctx, c, site, options.Kubernetes.ReadOnly)
	if err != nil {
		return nil, err
	}
	variants, err := kubernetes.Variants(state, options.Variants)
	if err != nil {
		return nil, err
	}
	return kubernetes.Open(ctx, c, kubernetes.Setting{
		Provider: provider, Site: site, Rights: rights, State: state, Variants: variants, Options: options,
		Declared: weakness.ByDesign(),
	})
}

// Describe prints the plan that is asked for, with all that it applies.
func Describe(ctx context.Context, options cluster.Options, w io.Writer) error {
	if options.Kubernetes.Plan == cluster.PlanNone {
		_, err := fmt.Fprintln(w, "nothing is installed")
		return err
	}
	variants := map[string]kubernetes.VariantFiles{}
	for _, spec := range options.Variants {
		if spec.Name != kubernetes.MainVariant {
			continue
		}
		found, err := kubernetes.Variants(options.StateDir, []cluster.VariantSpec{spec})
		if err != nil {
			return err
		}
		variants = found
	}
	p, err := planOf(ctx, options, variants[kubernetes.MainVariant], options.StateDir, true)
	if err != nil {
		return err
	}
	return (&install.Runner{Plan: p.Plan, Charts: p.charts, Patience: options.Kubernetes.Patience}).DryRun(ctx, w)
}

// Status prints how far each step is.
func Status(ctx context.Context, c *kube.Cluster, options cluster.Options, w io.Writer) error {
	runner, err := runnerOf(ctx, c, options)
	if err != nil {
		return err
	}
	steps, err := runner.Status(ctx)
	if err != nil {
		return err
	}
	return printSteps(w, steps)
}

// Remove takes back what an Up that is no more has installed.
func Remove(ctx context.Context, c *kube.Cluster, options cluster.Options) error {
	return (&install.Runner{Cluster: c, Plan: install.Plan{Name: options.Kubernetes.Plan}, Charts: chartsFor(options), Progress: options.Progress}).Down(ctx)
}

// runnerOf is what asks the steps of a plan.
func runnerOf(ctx context.Context, c *kube.Cluster, options cluster.Options) (*install.Runner, error) {
	found, err := kubernetes.Variants(options.StateDir, options.Variants)
	if err != nil {
		return nil, err
	}
	p, err := planOf(ctx, options, found[kubernetes.MainVariant], options.StateDir, false)
	if err != nil {
		return nil, err
	}
	return &install.Runner{Cluster: c, Plan: p.Plan, Charts: p.charts}, nil
}

// system is a stack whose installation it can take back.
type system struct {
	cluster.System

	takeBack func(context.Context) error
}

// Unwrap is the system in the cluster.
func (s *system) Unwrap() cluster.System { return s.System }

// Down ends the system and takes back what was installed for it.
func (s *system) Down(ctx context.Context) error {
	return errors.Join(s.System.Down(ctx), s.takeBack(ctx))
}
