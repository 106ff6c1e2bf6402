package kuadrant

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shelf has the stand-ins of testdata for manifests, and each chart where the
// versions file says.
type shelf struct{ Named }

func shelfOf(t *testing.T, versions string) shelf {
	t.Helper()
	set, err := Versions(versions)
	if err != nil {
		t.Fatal(err)
	}
	return shelf{Named{set}}
}

func (s shelf) Manifest(_ context.Context, name string) ([]byte, error) {
	switch name {
	case gatewayAPI:
		return os.ReadFile("testdata/gateway-api.yaml")
	case inferenceExtension:
		return os.ReadFile("testdata/inference-extension." + s.Set.Name + ".yaml")
	}
	return nil, fmt.Errorf("no manifest %q", name)
}

// demo are the manifests of the demo.
func demo(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	files, err := fs.Glob(seed.FS, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		text, err := fs.ReadFile(seed.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := kube.Decode(text)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, objects...)
	}
	return all
}

func decoded(t *testing.T, manifest string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := kube.Decode([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// twin is a variant as the suite has them: Gateway, route and policies in a
// namespace of its own.
func twin(t *testing.T) Variant {
	t.Helper()
	v := Variant{Name: "twin"}
	for _, object := range demo(t) {
		switch object.GetKind() {
		case "Gateway", "HTTPRoute", "AuthPolicy", "TelemetryPolicy", "RateLimitPolicy":
			object.SetNamespace("llm-d-twin")
			v.Objects = append(v.Objects, object)
		}
	}
	v.Objects = append(v.Objects, object(namespaceKind, "", "llm-d-twin", nil))
	return v
}

func planned(t *testing.T, o Options) install.Plan {
	t.Helper()
	if o.Policies == nil {
		o.Policies = demo(t)
	}
	if o.Pieces == nil {
		o.Pieces = shelfOf(t, o.Versions)
	}
	plan, err := Plan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func step(t *testing.T, plan install.Plan, name string) install.Step {
	t.Helper()
	for _, one := range plan.Steps {
		if one.Name == name {
			return one
		}
	}
	t.Fatalf("there is no step %s", name)
	return install.Step{}
}
