package standin_test

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/install/standin"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
)

// seedVariants are the seed's policy and one beside it.
func seedVariants(t *testing.T) []standin.Variant {
	t.Helper()
	set, err := policy.ReadFS(seed.FS, "seed")
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := set.Manifests()
	if err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	for _, m := range manifests {
		objects, err := kube.Decode(m.Text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, objects...)
	}
	beside, err := set.Beside("twin")
	if err != nil {
		t.Fatal(err)
	}
	text, err := beside.Text(policy.Routing, policy.Callers, policy.RateLimit)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := kube.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return []standin.Variant{{Name: standin.MainVariant, Objects: all}, {Name: "twin", Objects: twin}}
}

func names(objects []*unstructured.Unstructured) []string {
	var all []string
	for _, o := range objects {
		all = append(all, kube.Name(o))
	}
	return all
}

func find(t *testing.T, objects []*unstructured.Unstructured, name string) *unstructured.Unstructured {
	t.Helper()
	i := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return kube.Name(o) == name })
	if i < 0 {
		t.Fatalf("%s is not among %q", name, names(objects))
	}
	return objects[i]
}
