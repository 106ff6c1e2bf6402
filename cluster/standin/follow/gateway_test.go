package follow

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
)

func objects(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	found, err := kube.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func recorded(t *testing.T, file string) []*unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, string(text))
}

func read(t *testing.T, f *followed) meaning {
	t.Helper()
	m, err := f.meaning()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// demo follows the Gateway of the recorded installation.
func demo(t *testing.T) *followed {
	t.Helper()
	f := newFollowed("llm-d", "infra-sim-inference-gateway")
	for _, file := range []string{"envoyfilters.yaml", "gateway-and-route.yaml"} {
		for _, o := range recorded(t, file) {
			f.put(o)
		}
	}
	return f
}

func TestRecordedObjectsMeanTheDemo(t *testing.T) {
	m := read(t, demo(t))
	if want := map[string]string{
		"kuadrant-auth-service":      "authorino-authorino-authorization.kuadrant-system.svc.cluster.local:50051",
		"kuadrant-ratelimit-service": "limitador-limitador.kuadrant-system.svc.cluster.local:8081",
		"kuadrant-operator-wasm":     "kuadrant-operator-wasm.kuadrant-system.svc.cluster.local:8082",
	}; !maps.Equal(m.clusters, want) {
		t.Errorf("clusters %v, want %v", m.clusters, want)
	}
	if want := []gateway.Route{{PathPrefix: "/"}}; !reflect.DeepEqual(m.routes, want) {
		t.Errorf("routes %+v, want %+v", m.routes, want)
	}
	if want := "http://ms-sim.llm-d.svc.cluster.local:8000"; m.upstream != want {
		t.Errorf("upstream %s, want %s", m.upstream, want)
	}
	if len(m.config.ActionSets) != 1 || len(m.config.ActionSets[0].Actions) != 2 || m.config.Services["ratelimit-service"].Timeout != "100ms" {
		t.Errorf("configuration %+v, want the demo's action set with its two actions", m.config)
	}
}

func TestEveryOrderOfObjectsMeansTheSame(t *testing.T) {
	const more = `
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: chat, namespace: llm-d}, spec: {
  parentRefs: [{name: infra-sim-inference-gateway}], hostnames: [chat.example],
  rules: [{matches: [{path: {type: Exact, value: /v1/chat/completions}, method: POST}],
    backendRefs: [{group: inference.networking.x-k8s.io, kind: InferencePool, name: gaie-sim, namespace: models}]}]}}`
	route := objects(t, more)[0]
	want := meaning{}
	for i := range 20 {
		f := demo(t)
		f.put(route)
		m := read(t, f)
		if i == 0 {
			want = m
		} else if !reflect.DeepEqual(m, want) {
			t.Fatalf("the same objects mean %+v and %+v", m, want)
		}
	}
	if want.upstream != "http://gaie-sim.models.svc.cluster.local:8000" {
		t.Errorf("upstream %s, want the pool's Service", want.upstream)
	}
	if !slices.ContainsFunc(want.routes, func(r gateway.Route) bool {
		return r.Exact == "/v1/chat/completions" && slices.Equal(r.Methods, []string{"POST"}) && slices.Equal(r.Hostnames, []string{"chat.example"})
	}) {
		t.Errorf("routes %+v lack the exact one", want.routes)
	}
}

func TestForeignObjectsMeanNothing(t *testing.T) {
	f := newFollowed("llm-d", "another")
	for _, file := range []string{"envoyfilters.yaml", "gateway-and-route.yaml"} {
		for _, o := range recorded(t, file) {
			f.put(o)
		}
	}
	if m := read(t, f); len(m.clusters)+len(m.routes)+len(m.config.ActionSets) != 0 || m.upstream != nowhere {
		t.Errorf("another Gateway's objects mean %+v here", m)
	}
}

func TestWithoutItsFilterNothingIsAsked(t *testing.T) {
	f := demo(t)
	for _, o := range recorded(t, "envoyfilters.yaml") {
		if o.GetName() == "kuadrant-infra-sim-inference-gateway" {
			f.drop(o)
		}
	}
	if m := read(t, f); len(m.config.ActionSets) != 0 {
		t.Errorf("%d action sets are left without the filter", len(m.config.ActionSets))
	}
}

func TestABrokenFilterIsNamed(t *testing.T) {
	f := demo(t)
	for _, o := range recorded(t, "envoyfilters.yaml") {
		if o.GetName() != "kuadrant-infra-sim-inference-gateway" {
			continue
		}
		patches, _, err := unstructured.NestedSlice(o.Object, "spec", "configPatches")
		if err != nil {
			t.Fatal(err)
		}
		first, _ := patches[0].(map[string]any)
		if err := unstructured.SetNestedField(first, "{", "patch", "value", "typed_config", "value", "config", "configuration", "value"); err != nil {
			t.Fatal(err)
		}
		if err := unstructured.SetNestedSlice(o.Object, patches, "spec", "configPatches"); err != nil {
			t.Fatal(err)
		}
		f.put(o)
	}
	if _, err := f.meaning(); err == nil {
		t.Error("a configuration that is no JSON is taken without an error")
	}
}
