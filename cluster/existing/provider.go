// Package existing is the provider of systems that are there already: on a
// cluster that a kubeconfig leads to, or behind plain URLs.
package existing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/kubernetes"
	"github.com/floodgate-dev/floodgate/cluster/setup"
)

// Provider attaches to what is there.
type Provider struct{}

const name = "existing"

// Name is what --provider says.
func (*Provider) Name() string { return name }

// PlainURLs tells whether the system is one of URLs alone: a gateway's is given,
// and no way to a cluster.
func PlainURLs(o cluster.KubernetesOptions) bool {
	return o.Gateway != "" && o.Kubeconfig == "" && o.Context == ""
}

// Up finds the system, puts the run's variants beside the user's policy as far
// as that is allowed, and waits until they are in force.
func (p *Provider) Up(ctx context.Context, options cluster.Options) (cluster.System, error) {
	if PlainURLs(options.Kubernetes) {
		if installs(options.Kubernetes) {
			return nil, fmt.Errorf("--stack %s: behind plain URLs nothing can be installed; --kubeconfig names a cluster", options.Kubernetes.Plan)
		}
		return openURLs(ctx, options)
	}
	c, err := kube.Connect(options.Kubernetes.Kubeconfig, options.Kubernetes.Context)
	if err != nil {
		return nil, &cluster.StartError{Component: "the cluster", Cause: err, Next: "--kubeconfig names a kubeconfig; --gateway-url needs none"}
	}
	version, err := c.Version(ctx)
	if err != nil {
		return nil, &cluster.StartError{Component: "the cluster", Waiting: "an answer of the API server", Cause: err, Next: "look at the kubeconfig and its context"}
	}
	if options.Progress != nil {
		_, _ = fmt.Fprintf(options.Progress, "Kubernetes %s\n", version)
	}
	if installs(options.Kubernetes) {
		return p.install(ctx, c, options)
	}
	site, err := kubernetes.Discover(ctx, c, options.Kubernetes)
	if err != nil {
		return nil, &cluster.StartError{Component: "the system under test", Cause: err}
	}
	rights, err := kubernetes.RightsOf(ctx, c, site, options.Kubernetes.ReadOnly)
	if err != nil {
		return nil, &cluster.StartError{Component: "the cluster", Cause: err}
	}
	state, err := kubernetes.PrivateFolder(options.StateDir)
	if err != nil {
		return nil, err
	}
	variants, err := kubernetes.Variants(state, options.Variants)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(state))
	}
	return open(ctx, c, kubernetes.Setting{
		Shared:   true,
		Provider: name, Site: site, Rights: rights, State: state, Variants: variants, Options: options,
	})
}

// installs tells whether a stack is to be installed into the cluster.
func installs(o cluster.KubernetesOptions) bool { return o.Plan != "" && o.Plan != cluster.PlanNone }

// install puts a stack into the cluster first. Its images are pulled: nothing
// loads them into the nodes.
func (p *Provider) install(ctx context.Context, c *kube.Cluster, options cluster.Options) (cluster.System, error) {
	if options.Kubernetes.ReadOnly {
		return nil, fmt.Errorf("--stack %s: with --read-only nothing can be installed", options.Kubernetes.Plan)
	}
	if err := setup.Check(options); err != nil {
		return nil, fmt.Errorf("the stack cannot be brought up: %w", err)
	}
	return setup.Up(ctx, c, p.Name(), options, nil)
}

// open is kubernetes.Open, whose nil must not become a system.
func open(ctx context.Context, c *kube.Cluster, setting kubernetes.Setting) (cluster.System, error) {
	s, err := kubernetes.Open(ctx, c, setting)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Attach finds the stack that another process brought up.
func (p *Provider) Attach(ctx context.Context, stack cluster.Stack) (cluster.System, error) {
	if stack.Provider != name {
		return nil, fmt.Errorf("attach: the stack is provider %q's, not %q's", stack.Provider, name)
	}
	if stack.State == "" {
		return newURLs(stack), nil
	}
	return kubernetes.Attach(ctx, stack)
}

// Remove takes back what an Up has installed, and what runs that were killed
// have changed: these first, as long as the kinds of their objects are there.
func (p *Provider) Remove(ctx context.Context, options cluster.Options) error {
	err := kubernetes.TakeBack(ctx, options.StateDir)
	if PlainURLs(options.Kubernetes) || !installs(options.Kubernetes) {
		return err
	}
	c, connecting := kube.Connect(options.Kubernetes.Kubeconfig, options.Kubernetes.Context)
	if connecting != nil {
		return errors.Join(err, connecting)
	}
	return errors.Join(err, setup.Remove(ctx, c, options))
}

// Policies writes the manifests of the policies that are in force in a cluster
// into a folder that only its owner can read: what --policies would name. It
// returns, for people, what could not be read.
func Policies(ctx context.Context, options cluster.KubernetesOptions, dir string) (notes []string, err error) {
	if PlainURLs(options) {
		return nil, fmt.Errorf("behind plain URLs no policies can be found: %w", errors.ErrUnsupported)
	}
	c, err := kube.Connect(options.Kubeconfig, options.Context)
	if err != nil {
		return nil, err
	}
	site, err := kubernetes.Discover(ctx, c, options)
	if err != nil {
		return nil, err
	}
	withoutKeys, err := kubernetes.WritePolicies(ctx, c, site, dir)
	if err != nil {
		return nil, err
	}
	if withoutKeys != nil {
		notes = append(notes, "no identities: "+strings.ReplaceAll(withoutKeys.Error(), "\n", "; "))
	}
	for what, why := range site.Missing {
		notes = append(notes, what+": "+why)
	}
	slices.Sort(notes)
	return notes, nil
}

// Capabilities are what an Up with these options would be able to do, without
// changing or waiting for anything.
func Capabilities(ctx context.Context, options cluster.KubernetesOptions) ([]cluster.Capability, error) {
	if PlainURLs(options) {
		return newURLs(urlStack(cluster.Options{Kubernetes: options})).capabilities(func(where string) error {
			if strings.Contains(where, "://") {
				return reachable(ctx, where)
			}
			return connects(ctx, where)
		}), nil
	}
	c, err := kube.Connect(options.Kubeconfig, options.Context)
	if err != nil {
		return nil, err
	}
	site, err := kubernetes.Discover(ctx, c, options)
	if err != nil {
		return nil, err
	}
	rights, err := kubernetes.RightsOf(ctx, c, site, options.ReadOnly)
	if err != nil {
		return nil, err
	}
	return kubernetes.CapabilitiesOf(site, rights), nil
}
