package standin_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/install/standin"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

func planOf(t *testing.T, change func(*standin.Options)) install.Plan {
	t.Helper()
	o := standin.Options{Image: "floodgate.dev/pod:test", PrometheusImage: "prometheus:test", Variants: seedVariants(t)}
	change(&o)
	plan, err := standin.Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Check(); err != nil {
		t.Fatal(err)
	}
	return plan
}

func stepOf(t *testing.T, plan install.Plan, name string) install.Step {
	t.Helper()
	for _, step := range plan.Steps {
		if step.Name == name {
			return step
		}
	}
	t.Fatalf("no step %s", name)
	return install.Step{}
}

func TestSteps(t *testing.T) {
	plan := planOf(t, func(*standin.Options) {})
	var order []string
	for _, step := range plan.Steps {
		order = append(order, step.Name)
	}
	if want := []string{"namespaces", "crds", "operator", "model", "monitoring", "policy", "twin"}; !slices.Equal(order, want) {
		t.Errorf("steps %v, want %v", order, want)
	}
	if want := []string{"twin", "policy", "model", "monitoring", "operator", "crds", "namespaces"}; !slices.Equal(plan.Down, want) {
		t.Errorf("down %v, want %v", plan.Down, want)
	}
	if got, want := names(stepOf(t, plan, "namespaces").Objects), []string{"Namespace kuadrant-system", "Namespace llm-d", "Namespace llm-d-monitoring", "Namespace llm-d-twin"}; !slices.Equal(got, want) {
		t.Errorf("namespaces %v, want %v", got, want)
	}
	without := planOf(t, func(o *standin.Options) { o.PrometheusImage = "" })
	if slices.ContainsFunc(without.Steps, func(s install.Step) bool { return s.Name == "monitoring" }) {
		t.Error("monitoring without an image")
	}
}

// Every object has a kind that Kubernetes or the plan serves, a namespace that is
// made before, and our mark; none is there twice.
func TestObjectsCanBeApplied(t *testing.T) {
	plan := planOf(t, func(*standin.Options) {})
	known := map[schema.GroupVersionKind]bool{}
	for _, apiVersion := range []string{"v1", "apps/v1", "rbac.authorization.k8s.io/v1", "apiextensions.k8s.io/v1"} {
		for _, kind := range []string{"Namespace", "Secret", "ConfigMap", "Service", "ServiceAccount", "Deployment", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"} {
			known[schema.FromAPIVersionAndKind(apiVersion, kind)] = true
		}
	}
	spaces, seen := map[string]bool{"": true}, map[string]bool{}
	for _, step := range plan.Steps {
		for _, o := range step.Objects {
			called := o.GroupVersionKind().Group + " " + kube.Name(o)
			if seen[called] {
				t.Errorf("%s is there twice", called)
			}
			seen[called] = true
			if !known[o.GroupVersionKind()] {
				t.Errorf("step %s: nothing serves %s of %s", step.Name, o.GetKind(), o.GetAPIVersion())
			}
			if !spaces[o.GetNamespace()] {
				t.Errorf("step %s: %s is in a namespace that nothing makes", step.Name, called)
			}
			if o.GetLabels()["app.kubernetes.io/managed-by"] != "floodgate" {
				t.Errorf("step %s: %s is not marked as ours", step.Name, called)
			}
			switch o.GetKind() {
			case "Namespace":
				spaces[o.GetName()] = true
			case "CustomResourceDefinition":
				group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
				kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
				versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
				for _, v := range versions {
					version, _ := v.(map[string]any)["name"].(string)
					known[schema.GroupVersionKind{Group: group, Version: version, Kind: kind}] = true
				}
			}
		}
	}
}

func TestPolicyStep(t *testing.T) {
	step := stepOf(t, planOf(t, func(*standin.Options) {}), "policy")
	all := names(step.Objects)
	at := func(prefix string) int {
		return slices.IndexFunc(all, func(name string) bool { return strings.HasPrefix(name, prefix) })
	}
	for _, pair := range [][2]string{{"Secret", "Kuadrant"}, {"Secret", "AuthPolicy"}, {"Limitador", "Kuadrant"}, {"Gateway", "HTTPRoute"}, {"HTTPRoute", "RateLimitPolicy"}} {
		if at(pair[0]) < 0 || at(pair[0]) > at(pair[1]) {
			t.Errorf("%s must come before %s: %v", pair[0], pair[1], all)
		}
	}
	var awaited []string
	for _, c := range step.Ready {
		awaited = append(awaited, c.What)
	}
	for _, want := range []string{"Deployment kuadrant-system/limitador-limitador is available", "the listeners of Gateway llm-d/infra-sim-inference-gateway are programmed", "RateLimitPolicy llm-d/chargeback-limits is enforced"} {
		if !slices.Contains(awaited, want) {
			t.Errorf("it does not wait for %q but for %q", want, awaited)
		}
	}
}

func TestPolicyWithoutKuadrantGetsOne(t *testing.T) {
	without := func(o *standin.Options) {
		o.Variants[0].Objects = slices.DeleteFunc(o.Variants[0].Objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Kuadrant" })
	}
	for name, change := range map[string]func(*standin.Options){"given": func(*standin.Options) {}, "none": without} {
		step := stepOf(t, planOf(t, change), "policy")
		got := slices.DeleteFunc(names(step.Objects), func(name string) bool { return !strings.HasPrefix(name, "Kuadrant ") })
		if want := []string{"Kuadrant kuadrant-system/kuadrant"}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestModel(t *testing.T) {
	step := stepOf(t, planOf(t, func(o *standin.Options) { o.Faults, o.Seed = map[string][]string{"llmd": {"usage-missing"}}, 3 }), "model")
	if got, want := names(step.Objects), []string{"Deployment llm-d/gaie-sim", "Service llm-d/gaie-sim", "InferencePool llm-d/gaie-sim"}; !slices.Equal(got, want) {
		t.Fatalf("objects %v, want %v", got, want)
	}
	if got := find(t, step.Objects, "Service llm-d/gaie-sim").GetLabels()["floodgate.dev/journal"]; got != "true" {
		t.Error("the journal's Service is not marked")
	}
	pool := find(t, step.Objects, "InferencePool llm-d/gaie-sim")
	if port, _, _ := unstructured.NestedInt64(pool.Object, "spec", "targetPortNumber"); port != 8000 {
		t.Errorf("port %d of the pool, want 8000", port)
	}
	if text, err := find(t, step.Objects, "Deployment llm-d/gaie-sim").MarshalJSON(); err != nil || !strings.Contains(string(text), `"--fault","usage-missing","--fault-seed","3"`) {
		t.Errorf("the fault does not reach the model: %s", text)
	}
}

func TestFaultsOfTheOperatorsWorkloads(t *testing.T) {
	step := stepOf(t, planOf(t, func(o *standin.Options) { o.Faults = map[string][]string{"limitador": {"a", "b"}, "gateway": {"c"}} }), "operator")
	text, err := find(t, step.Objects, "Deployment kuadrant-system/kuadrant-operator-controller-manager").MarshalJSON()
	if err != nil || !strings.Contains(string(text), `"--image","floodgate.dev/pod:test","--fault","limitador:a","--fault","limitador:b","--fault","gateway:c"`) {
		t.Errorf("arguments in %s", text)
	}
	find(t, step.Objects, "GatewayClass istio")
}

func TestWhatCannotBePlanned(t *testing.T) {
	variants := seedVariants(t)
	for missing, o := range map[string]standin.Options{
		"an image":             {Variants: variants},
		`no variant "policy"`:  {Image: "i", Variants: variants[1:]},
		"must come first":      {Image: "i", Variants: []standin.Variant{variants[1], variants[0]}},
		`faults of "nobody"`:   {Image: "i", Variants: variants, Faults: map[string][]string{"nobody": {"x"}}},
		"the name of a step":   {Image: "i", Variants: append(slices.Clone(variants), standin.Variant{Name: "crds"})},
		"seed -1: want 0 or m": {Image: "i", Variants: variants, Seed: -1},
	} {
		if _, err := standin.Plan(o); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("error %v, want %q", err, missing)
		}
	}
}
