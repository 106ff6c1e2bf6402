package operator

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

func conditionOf(o *unstructured.Unstructured, kind string) string {
	for _, c := range conditions(o) {
		if c["type"] == kind {
			return fmt.Sprintf("%v %v: %v", c["status"], c["reason"], c["message"])
		}
	}
	return "none"
}

func limiterPod(called, ready string) *unstructured.Unstructured {
	o := newObject(pods, "kuadrant-system", called)
	o.SetLabels(map[string]string{"app": "limitador", "limitador-resource": "limitador"})
	o.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": ready}}}
	return o
}

// setLimit is an edit of the free tier's limit.
func setLimit(w *world, limit int64) {
	o := w.named(theLimits).DeepCopy()
	free, _ := nested(o.Object, "spec", "limits", "free-user-requests").(map[string]any)
	free["rates"] = []any{map[string]any{"limit": limit, "window": "2m"}}
	w.put(o)
}

// After an edit the policy is not Enforced until the limits are in the ConfigMap
// and every ready pod was told.
func TestEditIsEnforcedWhenThePodsWereTold(t *testing.T) {
	w, _ := demo(t)
	w.put(limiterPod("ready", "True"))
	w.put(limiterPod("starting", "False"))
	w.settle()
	const limits, pod = "ConfigMap kuadrant-system/limitador-limits-config-limitador", "Pod kuadrant-system/ready"
	if got, want := w.named(pod).GetAnnotations()[limitsAnnotation], w.named(limits).GetResourceVersion(); got != want {
		t.Errorf("the ready pod was told %q, want %q", got, want)
	}
	if got := w.named("Pod kuadrant-system/starting").GetAnnotations()[limitsAnnotation]; got != "" {
		t.Errorf("the pod that starts was told %q: its kubelet forgets it", got)
	}
	setLimit(w, 7)
	w.pass()
	if got := conditionOf(w.named(theLimits), "Enforced"); !strings.Contains(got, "False Unknown: RateLimitPolicy waiting for the following components to sync: [EnvoyFilter") &&
		!strings.HasPrefix(got, "False Unknown: RateLimitPolicy waiting for the following components to sync: [Limitador") {
		t.Errorf("right after the edit Enforced is %s", got)
	}
	if !strings.Contains(text(w.named(limits).Object, "", "data", limitsKey), "max_value: 7") {
		t.Error("the new limit is not in the ConfigMap after one pass")
	}
	if got, want := w.named(pod).GetAnnotations()[limitsAnnotation], w.named(limits).GetResourceVersion(); got != want {
		t.Errorf("after one pass the pod was told %q, want %q", got, want)
	}
	w.settle()
	o := w.named(theLimits)
	if got := conditionOf(o, "Enforced"); !strings.HasPrefix(got, "True Enforced") || number(o.Object, "status", "observedGeneration") != 2 {
		t.Errorf("in the end Enforced is %s for change %d", got, number(o.Object, "status", "observedGeneration"))
	}
}

func TestNothingIsWrittenTwice(t *testing.T) {
	w, _ := demo(t)
	w.writes = nil
	w.pass()
	if len(w.writes) > 0 {
		t.Errorf("a pass on what is at rest wrote %q", w.writes)
	}
	// One that has just started does not know what was written: it applies, which
	// changes nothing.
	w.memory = written{}
	w.settle()
}

// What somebody else changes is put back; the number of a gateway's pods is
// theirs.
func TestOthersChangesAreUndone(t *testing.T) {
	w, _ := demo(t)
	const gateway, service = "Deployment llm-d/infra-sim-inference-gateway-istio", "Service kuadrant-system/limitador-limitador"
	scaled := w.named(gateway).DeepCopy()
	spec, _ := scaled.Object["spec"].(map[string]any)
	spec["replicas"] = int64(3)
	w.put(scaled)
	wrong := w.named(service).DeepCopy()
	spec, _ = wrong.Object["spec"].(map[string]any)
	spec["selector"] = map[string]any{"app": "nobody"}
	w.put(wrong)
	delete(w.objects[envoyFilters], "llm-d/kuadrant-auth-infra-sim-inference-gateway")
	w.settle()
	if got := number(w.named(gateway).Object, "spec", "replicas"); got != 3 {
		t.Errorf("the gateway has %d replicas, want the 3 that were asked for", got)
	}
	if got := text(w.named(service).Object, "", "spec", "selector", "app"); got != "limitador" {
		t.Errorf("the Service selects %q", got)
	}
	if !w.has("EnvoyFilter llm-d/kuadrant-auth-infra-sim-inference-gateway") {
		t.Error("the filter that was deleted is not there again")
	}
}

func TestWithoutPolicies(t *testing.T) {
	w, _ := demo(t)
	delete(w.objects[rateLimitPolicies], "llm-d/chargeback-limits")
	w.settle()
	if w.has("EnvoyFilter llm-d/kuadrant-ratelimiting-infra-sim-inference-gateway") || !w.has("EnvoyFilter llm-d/kuadrant-infra-sim-inference-gateway") {
		t.Error("without limits the filter must stay and the limiter's cluster must go")
	}
	if got := text(w.named("ConfigMap kuadrant-system/limitador-limits-config-limitador").Object, "", "data", limitsKey); got != "[]\n" {
		t.Errorf("limits file %q, want an empty list", got)
	}
	delete(w.objects[authPolicies], "llm-d/chargeback-auth")
	w.settle()
	if len(w.objects[envoyFilters])+len(w.objects[authConfigs]) != 0 {
		t.Errorf("without any policy %d EnvoyFilters and %d AuthConfigs are left", len(w.objects[envoyFilters]), len(w.objects[authConfigs]))
	}
}

// As recorded: the filter goes, AuthConfigs and clusters stay (vectors of the
// cluster, timeline).
func TestWithoutKuadrant(t *testing.T) {
	w, _ := demo(t)
	delete(w.objects[kuadrants], "kuadrant-system/kuadrant")
	w.settle()
	if w.has("EnvoyFilter llm-d/kuadrant-infra-sim-inference-gateway") || !w.has("EnvoyFilter llm-d/kuadrant-auth-infra-sim-inference-gateway") {
		t.Error("the filter must go and its clusters must stay")
	}
	if got := conditionOf(w.named(theAuth), "Accepted"); got != "False MissingResource: kuadrant is not installed" {
		t.Errorf("Accepted is %s", got)
	}
	w.put(causesOf(t, recorded(t), theKuadrant)[0])
	w.settle()
	if got := conditionOf(w.named(theAuth), "Enforced"); !strings.HasPrefix(got, "True") {
		t.Errorf("with Kuadrant again Enforced is %s", got)
	}
}

func TestGatewayGoesWithAllOfIts(t *testing.T) {
	w, _ := demo(t)
	delete(w.objects[gateways], "llm-d/infra-sim-inference-gateway")
	w.settle()
	for _, r := range made() {
		for _, o := range w.all(r) {
			if o.GetNamespace() == "llm-d" {
				t.Errorf("%s is left", kube.Name(o))
			}
		}
	}
	if got := conditionOf(w.named(theLimits), "Accepted"); !strings.HasPrefix(got, "False TargetNotFound") {
		t.Errorf("Accepted is %s", got)
	}
}

func TestStatusOfWhatIsWrong(t *testing.T) {
	w, _ := demo(t)
	o := w.named(theLimits).DeepCopy()
	free, _ := nested(o.Object, "spec", "limits", "free-user-requests").(map[string]any)
	free["when"] = []any{map[string]any{"predicate": "auth.identity. =="}}
	w.put(o)
	w.settle()
	if got := conditionOf(w.named(theLimits), "Accepted"); !strings.HasPrefix(got, "False Invalid: ") || !strings.Contains(got, "spec.limits.free-user-requests.when[0]") {
		t.Errorf("a predicate that is none: Accepted is %s", got)
	}
	if got := conditionOf(w.named(theAuth), "Enforced"); !strings.HasPrefix(got, "True") {
		t.Errorf("the other policy: Enforced is %s", got)
	}
	w, _ = demo(t)
	delete(w.objects[httpRoutes], "llm-d/ms-sim-llm-d-modelservice")
	w.settle()
	if got := conditionOf(w.named(theLimits), "Enforced"); got != "False Unknown: RateLimitPolicy is not in the path to any existing routes" {
		t.Errorf("no route: Enforced is %s", got)
	}
}

func TestNotReady(t *testing.T) {
	all := recorded(t)
	w := newWorld(t, causesOf(t, all, theKuadrant, theGateway, theRoute, theAuth, theLimits)...)
	w.stuck = true
	w.settle()
	for called, kind := range map[string]string{theKuadrant: "Ready", "Limitador kuadrant-system/limitador": "Ready", theAuth: "Enforced", theLimits: "Enforced"} {
		if got := conditionOf(w.named(called), kind); !strings.HasPrefix(got, "False") {
			t.Errorf("%s without its pods: %s is %s", called, kind, got)
		}
	}
	for _, listener := range list(w.named(theGateway).Object, "status", "listeners") {
		for _, c := range list(listener, "conditions") {
			if c["type"] == "Programmed" && c["status"] != "False" {
				t.Error("the listener is programmed without a pod")
			}
		}
	}
}

// Two Gateways share the limiter, and each has its own limits in it.
func TestTwoGateways(t *testing.T) {
	w, all := demo(t)
	for _, o := range causesOf(t, all, theGateway, theRoute, theAuth, theLimits) {
		o.SetNamespace("llm-d-twin")
		w.put(o)
	}
	w.settle()
	content := text(w.named("ConfigMap kuadrant-system/limitador-limits-config-limitador").Object, "", "data", limitsKey)
	for _, namespace := range []string{"llm-d/", "llm-d-twin/"} {
		if n := strings.Count(content, "namespace: "+namespace); n != 3 {
			t.Errorf("%d limits of %s, want 3", n, namespace)
		}
	}
	if n := len(w.objects[authConfigs]); n != 2 {
		t.Errorf("%d AuthConfigs, want 2", n)
	}
}

func TestFaultsReachTheirComponent(t *testing.T) {
	o, err := parse(strings.Fields("--image i --fault limitador:off-by-one-high --fault gateway:a --fault gateway:b --fault-seed 7"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for component, want := range map[string][]any{
		"limitador": {"--fault", "off-by-one-high", "--fault-seed", "7"},
		"gateway":   {"--fault", "a", "--fault", "b", "--fault-seed", "7"},
		"authorino": nil,
	} {
		if got := o.faultArgs(component); !slices.Equal(got, want) {
			t.Errorf("%s gets %v, want %v", component, got, want)
		}
	}
	for _, wrong := range []string{"", "--image i --fault llmd:x", "--image i --fault limitador", "--image i --nope"} {
		if _, err := parse(strings.Fields(wrong), io.Discard); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}
