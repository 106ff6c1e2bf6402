// Package kuadrant is the plan that installs the real system under test: llm-d's
// model service behind an Istio gateway, Kuadrant in it, Prometheus beside it, as
// the demo does by hand (sut.md 1.6 and 6).
package kuadrant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// Name is what --plan says.
const Name = "kuadrant"

// The steps that are no part of a set. A variant's is "variant-" and its name.
const (
	stepNamespaces     = "namespaces"
	stepKuadrant       = "kuadrant"
	stepEndpointPicker = "endpoint-picker"
	stepRoutes         = "routes"
	stepLimitador      = "limitador"
	stepPolicies       = "policies"
	stepMonitoring     = "monitoring"
	stepVariant        = "variant-"
)

// Plan is the installation as data. Manifests of CRDs are fetched for it, within
// ctx: they are part of what a dry run shows. With Named as Pieces nothing is,
// and a step that misses its manifest says so and never gets ready.
func Plan(ctx context.Context, o Options) (install.Plan, error) {
	set, err := Versions(o.Versions)
	if err == nil {
		err = o.check()
	}
	if err != nil {
		return install.Plan{}, fmt.Errorf("plan %s: %w", Name, err)
	}
	if o.Pieces == nil {
		o.Pieces = Network{Set: set}
	}
	shares := shareOut(o.Policies)
	at, err := shares.place()
	if err != nil {
		return install.Plan{}, fmt.Errorf("plan %s: %w", Name, err)
	}
	p := &planning{Options: o, ctx: ctx, set: set, shares: shares, at: at}
	steps := []install.Step{
		p.namespaces(),
		p.definitions(gatewayAPI, "Gateway API"),
		p.definitions(inferenceExtension, "the inference extension of Gateway API"),
		p.istioBase(),
		p.istiod(),
	}
	if !o.OpenShift {
		steps = append(steps, p.prometheus())
	}
	steps = append(steps, p.kuadrantOperator(), p.kuadrant(), p.llmdInfra(), p.modelService(), p.endpointPicker())
	if o.OpenShift {
		steps = append(steps, p.routes())
	}
	steps = append(steps, p.limitador(), p.policies(), p.monitoring())
	for _, variant := range o.Variants {
		steps = append(steps, p.variant(variant))
	}
	plan := install.Plan{Name: Name, Versions: set.pins(), Steps: p.mirror(steps), Down: down(steps)}
	if err := errors.Join(append(p.errs, plan.Check())...); err != nil {
		return install.Plan{}, fmt.Errorf("plan %s: %w", Name, err)
	}
	return plan, nil
}

// planning is a plan that is being made. The first errors do not keep the rest
// from being found.
type planning struct {
	Options
	// ctx ends with Plan.
	ctx    context.Context
	set    Set
	shares shares
	at     place
	errs   []error
}

// down is the demo's clean-up order: policies and keys, Limitador's patch, the
// Kuadrant object, its operator, then llm-d; and then what the demo leaves, the
// last first.
func down(steps []install.Step) []string {
	first := []string{
		stepPolicies, stepMonitoring, stepLimitador, stepKuadrant, kuadrantOperator,
		stepRoutes, llmdInfra, stepEndpointPicker, modelService,
	}
	var names, rest []string
	for _, step := range slices.Backward(steps) {
		switch {
		case len(step.Name) > len(stepVariant) && step.Name[:len(stepVariant)] == stepVariant:
			names = append(names, step.Name)
		case !slices.Contains(first, step.Name):
			rest = append(rest, step.Name)
		}
	}
	for _, name := range first {
		if slices.ContainsFunc(steps, func(s install.Step) bool { return s.Name == name }) {
			names = append(names, name)
		}
	}
	return append(names, rest...)
}

// namespaces makes those that the manifests name: objects of the user's come
// before some of the charts that would make them.
func (p *planning) namespaces() install.Step {
	step := install.Step{
		Name: stepNamespaces, About: "the namespaces of the policies",
		Objects: slices.Clone(p.shares.namespaces), Patience: time.Minute,
	}
	for _, name := range []string{p.at.model, p.at.kuadrant, p.at.monitoring} {
		if p.OpenShift && name == p.at.monitoring && !slices.ContainsFunc(step.Objects, named(name)) {
			continue
		}
		if !slices.ContainsFunc(step.Objects, named(name)) {
			step.Objects = append(step.Objects, object(namespaceKind, "", name, nil))
		}
	}
	for _, space := range step.Objects {
		step.Ready = append(step.Ready, install.Exists(space))
	}
	return step
}

func named(name string) func(*unstructured.Unstructured) bool {
	return func(o *unstructured.Unstructured) bool { return o.GetName() == name }
}

// definitions applies a manifest of CRDs.
func (p *planning) definitions(part, of string) install.Step {
	manifest := p.set.manifest(part)
	step := install.Step{
		Name: part, About: fmt.Sprintf("the custom resources of %s %s", of, manifest.Version), Patience: 2 * time.Minute,
	}
	text, err := p.Pieces.Manifest(p.ctx, part)
	switch {
	case errors.Is(err, ErrNotFetched):
		step.About += " (not shown: " + err.Error() + ")"
		step.Ready = append(step.Ready, install.Condition{
			What:  "manifest " + part + " was fetched",
			Check: func(context.Context, *kube.Cluster) error { return fmt.Errorf("%w: %w", err, kube.ErrFinal) },
		})
	case err != nil:
		p.errs = append(p.errs, err)
	default:
		step.Objects, err = kube.Decode(text)
		if err != nil {
			p.errs = append(p.errs, fmt.Errorf("manifest %s: %w", part, err))
		}
		for _, name := range manifest.CRDs {
			if !slices.ContainsFunc(step.Objects, named(name)) {
				p.errs = append(p.errs, fmt.Errorf("manifest %s %s: %s is not in it", part, manifest.Version, name))
			}
		}
	}
	for _, name := range manifest.CRDs {
		step.Ready = append(step.Ready, install.CRDEstablished(name))
	}
	return step
}

// chart is a part's chart as a release of a namespace.
func (p *planning) chart(part, release, namespace string) install.Chart {
	pinned := p.set.chart(part)
	repository, err := p.Pieces.Chart(part)
	if err != nil {
		p.errs = append(p.errs, fmt.Errorf("chart %s: %w", part, err))
	}
	return install.Chart{
		Release: release, Namespace: namespace, Repository: repository, Name: pinned.Chart, Version: pinned.Version,
		Values: pinned.Values,
	}
}

// with sets one of a chart's values, by the names on the way to it.
func (p *planning) with(chart install.Chart, value any, path ...string) install.Chart {
	if chart.Values == nil {
		chart.Values = map[string]any{}
	}
	if err := unstructured.SetNestedField(chart.Values, value, path...); err != nil {
		p.errs = append(p.errs, fmt.Errorf("chart %s: %w", chart.Name, err))
	}
	return chart
}
