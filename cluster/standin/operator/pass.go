package operator

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// pass is one look at all objects and what follows from it.
type pass struct {
	objects reader
	writer  writer
	options options
	written written
	log     *slog.Logger
	now     func() time.Time

	// kuadrant is the Kuadrant object, nil if there is none.
	kuadrant *unstructured.Unstructured
	sites    []*site
}

// run makes the cluster as its objects want it. What fails for one of them is no
// reason to leave the others.
func (p *pass) run(ctx context.Context) error {
	p.kuadrant = p.findKuadrant()
	p.sites = p.findSites()
	var errs []error
	for _, step := range []func(context.Context) error{
		p.components, p.limiters, p.authorizers, p.authConfigs, p.gatewayWorkloads, p.filters, p.strays, p.statuses,
	} {
		errs = append(errs, step(ctx))
	}
	return errors.Join(errs...)
}

// namespace is where the components are.
func (p *pass) namespace() string {
	if p.kuadrant == nil {
		return defaultNamespace
	}
	return p.kuadrant.GetNamespace()
}

const defaultNamespace = "kuadrant-system"

// live are the objects of a kind that are not being deleted.
func (p *pass) live(r resource) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, o := range p.objects.all(r) {
		if o.GetDeletionTimestamp() == nil {
			found = append(found, o)
		}
	}
	return found
}

func (p *pass) findKuadrant() *unstructured.Unstructured {
	if found := p.live(kuadrants); len(found) > 0 {
		return found[0]
	}
	return nil
}
