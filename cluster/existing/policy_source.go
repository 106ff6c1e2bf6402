package existing

import (
	"context"
	"fmt"
	"io"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/setup"
)

// Policies writes the manifests that are in force into a folder, see the
// function of that name; what could not be read goes to the progress.
func (p *Provider) Policies(ctx context.Context, options cluster.Options, dir string) error {
	notes, err := Policies(ctx, options.Kubernetes, dir)
	if options.Progress != nil {
		for _, note := range notes {
			// That nobody reads it changes nothing.
			_, _ = fmt.Fprintln(options.Progress, note)
		}
	}
	return err
}

// Describe prints what would be installed.
func (p *Provider) Describe(ctx context.Context, options cluster.Options, w io.Writer) error {
	return setup.Describe(ctx, options, w)
}

// Status prints how far each step of an installation is.
func (p *Provider) Status(ctx context.Context, options cluster.Options, w io.Writer) error {
	c, err := kube.Connect(options.Kubernetes.Kubeconfig, options.Kubernetes.Context)
	if err != nil {
		return err
	}
	return setup.Status(ctx, c, options, w)
}
