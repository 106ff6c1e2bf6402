package kind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/kubernetes"
	"github.com/floodgate-dev/floodgate/cluster/setup"
)

// Provider brings a stack up on a kind cluster.
type Provider struct {
	// Executable is the program whose GuardCommand calls Guard; "" is the running
	// one.
	Executable string
}

// Name is what --provider says.
func (*Provider) Name() string { return "kind" }

// kubeconfigFile is the cluster's kubeconfig in the run's folder. It holds
// credentials and is gone when the cluster is.
const kubeconfigFile = "kubeconfig"

// clusterOf is the cluster that options ask for.
func clusterOf(options cluster.Options) *Cluster {
	k := options.Kubernetes
	c := NewCluster(filepath.Join(options.RunDir, kubeconfigFile), options.Progress)
	if k.Name != "" {
		c.WithName(k.Name)
	}
	c.WithOpts(NodeImage(k.NodeImage), Nodes(k.Nodes))
	return c
}

// Up makes the cluster or uses the one of its name, puts images into its nodes,
// installs what is asked for and waits until it is in force.
func (p *Provider) Up(ctx context.Context, options cluster.Options) (cluster.System, error) {
	c := clusterOf(options)
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("the stack cannot be brought up: %w", err)
	}
	if err := setup.Check(options); err != nil {
		return nil, fmt.Errorf("the stack cannot be brought up: %w", err)
	}
	watch, err := p.create(ctx, c, options)
	if err != nil {
		return nil, &cluster.StartError{
			Component: "kind cluster " + c.name, Cause: err,
			Next: "a container engine must run: floodgate doctor looks for one; --provider local needs none",
		}
	}
	s, err := p.install(ctx, c, options)
	if err != nil {
		if !options.Kubernetes.Keep {
			err = errors.Join(err, p.remove(context.WithoutCancel(ctx), c, options.RunDir))
		}
		watch.spareIfThere()
		return nil, err
	}
	return &system{System: s, provider: p, cluster: c, guard: watch, runDir: options.RunDir, keep: options.Kubernetes.Keep}, nil
}

// create makes the cluster under the eyes of a guard, unless it is to be kept.
func (p *Provider) create(ctx context.Context, c *Cluster, options cluster.Options) (*guard, error) {
	there, err := c.Exists()
	if err != nil {
		return nil, err
	}
	ours, whole, err := claimed(options.RunDir, c.name)
	if err != nil {
		return nil, err
	}
	if there && ours {
		c.Adopt()
		if !whole {
			if err := c.Destroy(ctx); err != nil {
				return nil, err
			}
			there = false
		}
	}
	if !there {
		if err := (ownership{Cluster: c.name}).claim(options.RunDir); err != nil {
			return nil, err
		}
	}
	var watch *guard
	if (c.Made() || !there) && !options.Kubernetes.Keep {
		executable := p.Executable
		if executable == "" {
			if executable, err = os.Executable(); err != nil {
				return nil, fmt.Errorf("find the program that guards the cluster: %w", err)
			}
		}
		if watch, err = startGuard(executable, c.name, c.kubeconfig); err != nil {
			return nil, err
		}
	}
	if _, err := c.Create(ctx); err != nil {
		if left, lookErr := c.Exists(); c.Made() && (left || lookErr != nil) {
			// The claim and the guard stay: what is left is still ours to delete.
			return nil, errors.Join(err, lookErr)
		}
		watch.spareIfThere()
		return nil, errors.Join(err, disclaim(options.RunDir))
	}
	if !c.Made() {
		return watch, nil
	}
	return watch, ownership{Cluster: c.name, Whole: true}.claim(options.RunDir)
}

// install loads images and installs the plan.
func (p *Provider) install(ctx context.Context, c *Cluster, options cluster.Options) (cluster.System, error) {
	for _, image := range options.Kubernetes.Load {
		load := c.LoadImage
		if _, err := os.Stat(image); err == nil {
			load = c.LoadImageArchive
		}
		if err := load(ctx, image); err != nil {
			return nil, &cluster.StartError{Component: "image " + image, Cause: err, Next: "--load names an image of the container engine or an archive of images"}
		}
	}
	connection, err := kube.Connect(c.kubeconfig, "")
	if err != nil {
		return nil, err
	}
	options.Kubernetes.Kubeconfig, options.Kubernetes.Context = c.kubeconfig, ""
	// With a cluster of ours goes everything in it.
	options.Kubernetes.Keep = options.Kubernetes.Keep || c.Made()
	return setup.Up(ctx, connection, p.Name(), options, c)
}

// remove deletes the cluster if it is ours, and what names it.
func (p *Provider) remove(ctx context.Context, c *Cluster, runDir string) error {
	if !c.Made() {
		return os.RemoveAll(c.kubeconfig)
	}
	return errors.Join(c.Destroy(ctx), os.RemoveAll(c.kubeconfig), disclaim(runDir))
}

// Attach finds the stack that another process brought up.
func (p *Provider) Attach(ctx context.Context, stack cluster.Stack) (cluster.System, error) {
	return kubernetes.Attach(ctx, stack)
}

// Describe prints what would be installed.
func (p *Provider) Describe(ctx context.Context, options cluster.Options, w io.Writer) error {
	c := clusterOf(options)
	if err := c.Check(); err != nil {
		return err
	}
	image := c.image
	if image == "" {
		image = "kind's own, pinned by digest"
	}
	if _, err := fmt.Fprintf(w, "kind cluster %s, %d node(s) of image %s\n", c.name, c.nodes, image); err != nil {
		return err
	}
	return setup.Describe(ctx, options, w)
}

// Status prints how far each step of the installation is.
func (p *Provider) Status(ctx context.Context, options cluster.Options, w io.Writer) error {
	c := clusterOf(options)
	there, err := c.Exists()
	if err != nil {
		return err
	}
	if !there {
		_, err := fmt.Fprintf(w, "kind cluster %s is not there\n", c.name)
		return err
	}
	if _, err := fmt.Fprintf(w, "kind cluster %s is there\n", c.name); err != nil {
		return err
	}
	if err := c.export(); err != nil {
		return err
	}
	connection, err := kube.Connect(c.kubeconfig, "")
	if err != nil {
		return err
	}
	return setup.Status(ctx, connection, options, w)
}

// Remove deletes the cluster that an Up with the same folder has made; from one
// that was there before, it takes what that Up installed.
func (p *Provider) Remove(ctx context.Context, options cluster.Options) error {
	c := clusterOf(options)
	ours, _, err := claimed(options.RunDir, c.name)
	if err != nil {
		return err
	}
	there, err := c.Exists()
	if err != nil {
		return err
	}
	switch {
	case there && ours:
		c.Adopt()
		return p.remove(ctx, c, options.RunDir)
	case !there:
		return errors.Join(os.RemoveAll(c.kubeconfig), disclaim(options.RunDir))
	}
	if err := c.export(); err != nil {
		return err
	}
	connection, err := kube.Connect(c.kubeconfig, "")
	if err != nil {
		return err
	}
	return errors.Join(setup.Remove(ctx, connection, options), os.RemoveAll(c.kubeconfig))
}
