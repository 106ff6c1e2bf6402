package kuadrant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// written is everything that decides what a plan does, without the content of
// the objects that are the user's.
func written(t *testing.T, plan install.Plan) string {
	t.Helper()
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	content := func(value any) {
		text, err := yaml.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		line("    %s", strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n    "))
	}
	line("plan %s", plan.Name)
	for _, name := range slices.Sorted(maps.Keys(plan.Versions)) {
		line("  %s %s", name, plan.Versions[name])
	}
	for _, step := range plan.Steps {
		line("\nstep %s, at most %s: %s", step.Name, step.Patience, step.About)
		for _, chart := range step.Charts {
			line("  chart %s %s of %s as %s/%s", chart.Name, chart.Version, chart.Repository, chart.Namespace, chart.Release)
			if len(chart.Values) > 0 {
				content(chart.Values)
			}
		}
		for _, object := range step.Objects {
			line("  object %s", kube.Name(object))
			if object.GetKind() == "Deployment" {
				content(object.Object["spec"])
			}
		}
		for _, patch := range step.Patches {
			line("  patch %s", kube.Name(patch.Object))
			content(patch.Merge)
		}
		for _, condition := range step.Ready {
			line("  until %s", condition.What)
		}
		for _, scope := range step.Collect {
			var kinds []string
			for _, kind := range scope.Kinds {
				kinds = append(kinds, kind.Kind)
			}
			line("  look in %s at pods %q and %v", scope.Namespace, scope.Selector, kinds)
		}
	}
	line("\ndown %s", strings.Join(plan.Down, ", "))
	return b.String()
}

func TestPlanIsAsWritten(t *testing.T) {
	for name, o := range map[string]Options{
		"current":           {Variants: []Variant{twin(t)}},
		"seed":              {Versions: Seed},
		"current-small":     {Small: true, Preloaded: true, RegistryMirror: "mirror.example:5000/all"},
		"current-openshift": {OpenShift: true},
	} {
		got := written(t, planned(t, o))
		file := "testdata/plan-" + name + ".txt"
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (go test -update writes it anew): %s", file, diff)
		}
	}
}

func names(plan install.Plan) []string {
	var all []string
	for _, step := range plan.Steps {
		all = append(all, step.Name)
	}
	return all
}

// The order is the demo's, and so is that of the clean-up: policies and keys, the
// Kuadrant object, its operator, llm-d's infrastructure, its model.
func TestOrder(t *testing.T) {
	for _, o := range []Options{{}, {Versions: Seed}, {OpenShift: true}, {Variants: []Variant{twin(t)}}} {
		plan := planned(t, o)
		for what, order := range map[string]struct{ of, want []string }{
			"up": {names(plan), []string{
				gatewayAPI, inferenceExtension, istioBase, istiod, prometheus, kuadrantOperator, stepKuadrant, llmdInfra, modelService,
				stepEndpointPicker, stepLimitador, stepPolicies, stepMonitoring, "variant-twin",
			}},
			"down": {plan.Down, []string{
				"variant-twin", stepPolicies, stepKuadrant, kuadrantOperator, llmdInfra, modelService, prometheus, istiod, istioBase,
				inferenceExtension, gatewayAPI, stepNamespaces,
			}},
		} {
			got := slices.DeleteFunc(slices.Clone(order.of), func(name string) bool { return !slices.Contains(order.want, name) })
			want := slices.DeleteFunc(order.want, func(name string) bool { return !slices.Contains(order.of, name) })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
		}
		down, up := slices.Sorted(slices.Values(plan.Down)), slices.Sorted(slices.Values(names(plan)))
		if !slices.Equal(down, up) {
			t.Errorf("down takes back %v, up makes %v", down, up)
		}
	}
}

// What is waited for by name must be what the chart has.
func TestOperatorsAreTheCharts(t *testing.T) {
	text, err := os.ReadFile("testdata/chart-objects.txt")
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	deployments := 0
	for line := range strings.Lines(string(text)) {
		has[strings.TrimSpace(line)] = true
		if strings.HasPrefix(line, "Deployment ") {
			deployments++
		}
	}
	operator := step(t, planned(t, Options{Small: true}), kuadrantOperator)
	waited := 0
	for _, condition := range operator.Ready {
		kind, rest, _ := strings.Cut(condition.What, " ")
		name, _, _ := strings.Cut(rest, " ")
		name = strings.TrimPrefix(name, "kuadrant-system/")
		if !has[kind+" "+name] {
			t.Errorf("the chart has no %s %s", kind, name)
		}
		if kind == "Deployment" {
			waited++
		}
	}
	for _, object := range operator.Objects {
		if !has[object.GetKind()+" "+object.GetName()] {
			t.Errorf("the chart has no %s %s", object.GetKind(), object.GetName())
		}
	}
	// The DNS operator requests less as it is.
	if waited != deployments || len(operator.Objects) != deployments-1 {
		t.Errorf("the chart has %d Deployments, %d are waited for and %d made small", deployments, waited, len(operator.Objects))
	}
}

func contents(objects []*unstructured.Unstructured) (all []map[string]any) {
	for _, object := range objects {
		all = append(all, object.Object)
	}
	return all
}

func TestEveryObjectHasItsPlace(t *testing.T) {
	for _, o := range []Options{{Small: true, Variants: []Variant{twin(t)}}, {Versions: Seed}, {OpenShift: true, RegistryMirror: "mirror.example"}} {
		policies := demo(t)
		o.Policies = policies
		seen := map[string]string{}
		for _, step := range planned(t, o).Steps {
			for _, object := range step.Objects {
				text, err := yaml.Marshal(object.Object)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := kube.Decode(text); err != nil {
					t.Errorf("%s: %v", kube.Name(object), err)
				}
				if object.GetNamespace() == "" && !clusterWide[object.GetKind()] {
					t.Errorf("%s has no namespace", kube.Name(object))
				}
				if before := seen[kube.Name(object)]; before != "" {
					t.Errorf("%s is in steps %s and %s", kube.Name(object), before, step.Name)
				}
				seen[kube.Name(object)] = step.Name
			}
		}
		for _, object := range policies {
			switch object.GetKind() {
			// Merged; left out of the seed's versions; moved on OpenShift.
			case "Limitador", "TelemetryPolicy", "ServiceMonitor", "PrometheusRule":
				continue
			}
			if seen[kube.Name(object)] == "" {
				t.Errorf("%s is in no step", kube.Name(object))
			}
		}
		if diff := cmp.Diff(contents(demo(t)), contents(policies)); diff != "" {
			t.Errorf("the user's objects were changed: %s", diff)
		}
	}
}

// Keys come before the policy that selects them, whatever the order of the files.
func TestPoliciesComeInOrder(t *testing.T) {
	policies := demo(t)
	slices.Reverse(policies)
	var kinds []string
	for _, object := range step(t, planned(t, Options{Policies: policies}), stepPolicies).Objects {
		kinds = append(kinds, object.GetKind())
	}
	want := []string{"Secret", "Secret", "Secret", "Secret", "Secret", "AuthPolicy", "TelemetryPolicy", "RateLimitPolicy"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestRoutesNameTheSetsPool(t *testing.T) {
	for versions, want := range map[string]string{Current: "inference.networking.k8s.io", Seed: "inference.networking.x-k8s.io"} {
		plan := planned(t, Options{Versions: versions, Variants: []Variant{twin(t)}})
		for _, name := range []string{modelService, "variant-twin"} {
			routes := 0
			for _, object := range step(t, plan, name).Objects {
				if object.GetKind() != "HTTPRoute" {
					continue
				}
				routes++
				text, err := yaml.Marshal(object.Object)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(text), "group: "+want+"\n") {
					t.Errorf("%s, step %s: the route's pool is not of %s:\n%s", versions, name, want, text)
				}
			}
			if routes != 1 {
				t.Errorf("%s, step %s has %d routes", versions, name, routes)
			}
		}
	}
}

func TestOpenShift(t *testing.T) {
	plan := planned(t, Options{OpenShift: true})
	if slices.Contains(names(plan), prometheus) {
		t.Error("the platform has a Prometheus of its own")
	}
	for _, object := range step(t, plan, stepMonitoring).Objects {
		if object.GetNamespace() != "kuadrant-system" || object.GetLabels()["release"] != "" {
			t.Errorf("%s, labels %v: user workload monitoring looks in its own namespace alone", kube.Name(object), object.GetLabels())
		}
		if _, there, _ := unstructured.NestedMap(object.Object, "spec", "namespaceSelector"); there {
			t.Errorf("%s looks in other namespaces", kube.Name(object))
		}
	}
	if routes := step(t, plan, stepRoutes).Objects; len(routes) != 1 || routes[0].GetKind() != "Route" {
		t.Errorf("routes: %v", routes)
	}
}

// A plan without a manifest can be shown, and never gets ready.
func TestNotFetched(t *testing.T) {
	plan := planned(t, Options{Pieces: shelfOf(t, Current).Named})
	api := step(t, plan, gatewayAPI)
	if len(api.Objects) > 0 || !strings.Contains(api.About, "v1.4.1/standard-install.yaml: it was not fetched") {
		t.Errorf("about: %s", api.About)
	}
	if err := api.Ready[0].Check(t.Context(), nil); !errors.Is(err, kube.ErrFinal) || !errors.Is(err, ErrNotFetched) {
		t.Errorf("waiting for it goes on: %v", err)
	}
	var shown strings.Builder
	if err := (&install.Runner{Plan: plan}).DryRun(t.Context(), &shown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# version istiod 1.29.1", "chart kuadrant-operator 1.5.2 of https://kuadrant.io/helm-charts", "kind: RateLimitPolicy"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("the dry run lacks %q", want)
		}
	}
	if strings.Contains(shown.String(), "premiumuser1_key") {
		t.Error("the dry run shows a key")
	}
}

// other answers with a piece that is not what it should be.
type other struct {
	shelf

	text string
	err  error
}

func (o other) Manifest(context.Context, string) ([]byte, error) { return []byte(o.text), o.err }

func TestOptionsErrors(t *testing.T) {
	homeless := decoded(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")
	limits := decoded(t, "apiVersion: kuadrant.io/v1alpha1\nkind: TokenRateLimitPolicy\nmetadata: {name: tokens, namespace: llm-d}\n")
	kuadrants := decoded(t, "apiVersion: kuadrant.io/v1beta1\nkind: Kuadrant\nmetadata: {name: second, namespace: x}\n")
	elsewhere := decoded(t, "apiVersion: limitador.kuadrant.io/v1alpha1\nkind: Limitador\nmetadata: {name: limitador, namespace: x}\n")
	for want, change := range map[string]func(*Options){
		`there are no versions "newest", there are current, seed`:            func(o *Options) { o.Versions = "newest" },
		"there are no policies to install":                                   func(o *Options) { o.Policies = nil },
		"limiter image: could not parse reference: A B":                      func(o *Options) { o.LimiterImage = "A B" },
		`registry mirror "https://m" is not HOST, HOST:PORT or HOST/PATH`:    func(o *Options) { o.RegistryMirror = "https://m" },
		"the policies: Secret s has no namespace":                            func(o *Options) { o.Policies = append(o.Policies, homeless...) },
		`variant "Twin": a name has lower-case`:                              func(o *Options) { o.Variants = []Variant{{Name: "Twin", Objects: limits}} },
		"variant twin is there twice":                                        func(o *Options) { o.Variants = []Variant{twin(t), twin(t)} },
		"variant none has no objects":                                        func(o *Options) { o.Variants = []Variant{{Name: "none"}} },
		"variant whole: Kuadrant x/second is of the whole installation":      func(o *Options) { o.Variants = []Variant{{Name: "whole", Objects: kuadrants}} },
		"the policies have 2 Kuadrant objects":                               func(o *Options) { o.Policies = append(o.Policies, kuadrants...) },
		"the policies have 2 Limitador objects":                              func(o *Options) { o.Policies = append(o.Policies, elsewhere...) },
		"the policies' Limitador is x/limitador, the operator makes kuadran": func(o *Options) { o.Policies = elsewhere },
		"TokenRateLimitPolicy llm-d/tokens: kuadrant-operator 1.2.0 does no": func(o *Options) {
			o.Versions, o.Policies, o.Pieces = Seed, append(o.Policies, limits...), shelfOf(t, Seed)
		},
		"gatewayclasses.gateway.networking.k8s.io is not in it": func(o *Options) { o.Pieces = other{text: "{apiVersion: v1, kind: List, items: []}"} },
		"the disk is on fire": func(o *Options) { o.Pieces = other{err: errors.New("the disk is on fire")} },
	} {
		o := Options{Policies: demo(t), Pieces: shelfOf(t, Current)}
		change(&o)
		if _, err := Plan(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestPatienceAndAbout(t *testing.T) {
	for _, step := range planned(t, Options{Variants: []Variant{twin(t)}}).Steps {
		if step.About == "" || len(step.Ready) == 0 {
			t.Errorf("step %s: about %q, %d conditions", step.Name, step.About, len(step.Ready))
		}
		if step.Patience < time.Minute || step.Patience > 10*time.Minute {
			t.Errorf("step %s: patience %s", step.Name, step.Patience)
		}
	}
}
