package operator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

const (
	// limitsAnnotation on a limiter's pod makes the kubelet look at its ConfigMap
	// at once instead of within a minute (sut.md 2.12).
	limitsAnnotation = "limits-cm-resource-version"
	limitsKey        = "limitador-config.yaml"
	limitsFile       = "/home/limitador/etc/" + limitsKey
	// imageAnnotation says which image a Limitador object asks for: the stand-in
	// runs whatever it is.
	imageAnnotation = "floodgate.dev/asked-image"

	limitadorName = "limitador"
	authorinoName = "authorino"
)

func newObject(r resource, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(r.GroupVersion().WithKind(r.kind))
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// components makes the Limitador and Authorino objects of the Kuadrant object
// (vectors of the cluster, crs).
func (p *pass) components(ctx context.Context) error {
	if p.kuadrant == nil {
		return nil
	}
	limits, err := plain(p.wantedLimits())
	if err != nil {
		return err
	}
	limitador := newObject(limitadors, p.namespace(), limitadorName)
	limitador.Object["spec"] = map[string]any{"limits": limits, "metricLabelsDefault": "descriptors[1]"}
	authorino := newObject(authorinos, p.namespace(), authorinoName)
	disabled := func() map[string]any { return map[string]any{"tls": map[string]any{"enabled": false}} }
	authorino.Object["spec"] = map[string]any{
		"clusterWide": true, "supersedingHostSubsets": true, "listener": disabled(), "oidcServer": disabled(),
	}
	var errs []error
	for _, o := range []*unstructured.Unstructured{limitador, authorino} {
		own(o, p.kuadrant, true)
		_, err := p.ensure(ctx, o)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// wantedLimits are the limits of all Gateways. A route of two Gateways has its
// limits once.
func (p *pass) wantedLimits() []policy.LimitadorLimit {
	limits, seen := []policy.LimitadorLimit{}, map[string]bool{}
	for _, s := range p.sites {
		if s.set == nil {
			continue
		}
		for _, limit := range s.set.LimitadorLimits() {
			id := fmt.Sprintf("%q", []any{limit.Namespace, limit.Conditions, limit.Variables, limit.Seconds, limit.MaxValue})
			if !seen[id] {
				seen[id] = true
				limits = append(limits, limit)
			}
		}
	}
	return limits
}

// limiters make of each Limitador object what limitador-operator makes of it.
func (p *pass) limiters(ctx context.Context) error {
	var errs []error
	for _, cr := range p.live(limitadors) {
		errs = append(errs, p.limiter(ctx, cr))
	}
	return errors.Join(errs...)
}

func (p *pass) limiter(ctx context.Context, cr *unstructured.Unstructured) error {
	objects, err := render("limiter.yaml", names{Namespace: cr.GetNamespace(), Name: cr.GetName()}, cr, true)
	if err != nil {
		return err
	}
	for _, o := range objects {
		switch o.GetKind() {
		case "Deployment":
			p.fillLimiter(o, cr)
		case "ConfigMap":
			content, err := p.limitsOf(cr)
			if err != nil {
				return err
			}
			o.Object["data"] = map[string]any{limitsKey: content}
		}
	}
	// The pods mount the ConfigMap, so it comes first.
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(a.GetKind(), b.GetKind())
	})
	for _, o := range objects {
		live, err := p.ensure(ctx, o)
		if err != nil {
			return err
		}
		if o.GetKind() == "ConfigMap" {
			if err := p.announce(ctx, cr, live); err != nil {
				return err
			}
		}
	}
	return nil
}

// limitsOf is the content of the limits file. An object that this pass has just
// given new limits may not show them yet.
func (p *pass) limitsOf(cr *unstructured.Unstructured) (string, error) {
	limits := nested(cr.Object, "spec", "limits")
	if p.owned(cr) {
		var err error
		if limits, err = plain(p.wantedLimits()); err != nil {
			return "", err
		}
	}
	if limits == nil {
		limits = []any{}
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(limits); err != nil {
		return "", fmt.Errorf("limits of Limitador %s: %w", name(cr), err)
	}
	return b.String(), nil
}

// owned tells whether the limits of a Limitador object are those of the policies.
func (p *pass) owned(cr *unstructured.Unstructured) bool {
	return p.kuadrant != nil && cr.GetNamespace() == p.namespace() && cr.GetName() == limitadorName
}

// fillLimiter sets what a Limitador object has a say in.
func (p *pass) fillLimiter(o, cr *unstructured.Unstructured) {
	spec, _ := nested(cr.Object, "spec").(map[string]any)
	c := container(o)
	c["image"] = p.options.image
	c["args"] = p.limiterArgs(spec)
	if replicas, found := nested(spec, "replicas").(int64); found {
		deployment, _ := nested(o.Object, "spec").(map[string]any)
		deployment["replicas"] = replicas
	}
	if asked := text(spec, "", "image"); asked != "" {
		o.SetAnnotations(map[string]string{imageAnnotation: asked})
	}
}

// limiterArgs are in the order of limitador-operator (sut.md 2.12).
func (p *pass) limiterArgs(spec map[string]any) []any {
	var args []any
	if headers := text(spec, "", "rateLimitHeaders"); headers != "" {
		args = append(args, "--rate-limit-headers", headers)
	}
	if text(spec, "", "telemetry") == "exhaustive" {
		args = append(args, "--limit-name-in-labels")
	}
	if verbosity := number(spec, "verbosity"); verbosity > 0 {
		args = append(args, "-"+strings.Repeat("v", int(min(verbosity, maxVerbosity))))
	}
	args = append(args, "--http-port", "8080", "--rls-port", "8081")
	if labels := text(spec, "", "metricLabelsDefault"); labels != "" {
		args = append(args, "--metric-labels-default", labels)
	}
	return append(append(args, p.options.faultArgs("limitador")...), limitsFile, "memory")
}

// maxVerbosity is the highest that Limitador knows (sut.md 2.8).
const maxVerbosity = 4

// announce tells the kubelets of the limiter's pods that their file has changed.
// A pod that is not ready waits for it: what a kubelet is told while it starts a
// pod it forgets, and the pod would go on with the limits of before for a minute.
func (p *pass) announce(ctx context.Context, cr, limits *unstructured.Unstructured) error {
	var errs []error
	for _, pod := range p.readyPods(cr) {
		if pod.GetAnnotations()[limitsAnnotation] != limits.GetResourceVersion() {
			errs = append(errs, p.writer.annotate(ctx, pods, pod, limitsAnnotation, limits.GetResourceVersion()))
		}
	}
	return errors.Join(errs...)
}

// readyPods are those of a limiter.
func (p *pass) readyPods(cr *unstructured.Unstructured) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, pod := range p.live(pods) {
		ready := slices.ContainsFunc(conditions(pod), func(c map[string]any) bool { return c["type"] == "Ready" && c["status"] == "True" })
		if ready && pod.GetNamespace() == cr.GetNamespace() && pod.GetLabels()["limitador-resource"] == cr.GetName() {
			found = append(found, pod)
		}
	}
	return found
}

// authorizers make of each Authorino object what authorino-operator makes of it.
func (p *pass) authorizers(ctx context.Context) error {
	var errs []error
	for _, cr := range p.live(authorinos) {
		objects, err := render("authorizer.yaml", names{Namespace: cr.GetNamespace(), Name: cr.GetName()}, cr, true)
		if err != nil {
			return err
		}
		for _, o := range objects {
			if o.GetKind() == "Deployment" {
				c := container(o)
				c["image"] = p.options.image
				c["args"] = append([]any{}, p.options.faultArgs("authorino")...)
				if replicas, found := nested(cr.Object, "spec", "replicas").(int64); found {
					deployment, _ := nested(o.Object, "spec").(map[string]any)
					deployment["replicas"] = replicas
				}
			}
			_, err := p.ensure(ctx, o)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// faultArgs are the arguments that make a component show its faults.
func (o options) faultArgs(component string) []any {
	var args []any
	for _, fault := range o.faults[component] {
		args = append(args, "--fault", fault)
	}
	if len(args) > 0 && o.seed != 0 {
		args = append(args, "--fault-seed", strconv.FormatUint(o.seed, 10))
	}
	return args
}
