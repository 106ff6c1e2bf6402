package kuadrant

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestLimiterImage(t *testing.T) {
	own := "apiVersion: limitador.kuadrant.io/v1alpha1\nkind: Limitador\nmetadata: {name: limitador, namespace: kuadrant-system}\nspec: {image: %s, replicas: 2, version: \"\"}\n"
	for name, kase := range map[string]struct {
		versions, asked, manifest, mirror string
		want                              any
	}{
		"current leaves the operator's":              {},
		"what is asked for":                          {asked: "x.example/l:1", want: "x.example/l:1"},
		"what is asked for counts more":              {asked: "x.example/l:1", manifest: "y.example/l:2", want: "x.example/l:1"},
		"a manifest's own":                           {manifest: "y.example/l:2", want: "y.example/l:2"},
		"a manifest's other version of the pinned":   {manifest: "quay.io/kuadrant/limitador:v2.4.0"},
		"the seed's fork":                            {versions: Seed, want: "ghcr.io/nerdalert/limitador:latest"},
		"the seed's, and a version of the set's own": {versions: Seed, manifest: "quay.io/kuadrant/limitador:v2.4.0", want: "ghcr.io/nerdalert/limitador:latest"},
		"at a mirror":                                {asked: "x.example/l:1", mirror: "m.example", want: "m.example/l:1"},
	} {
		policies := demo(t)
		if kase.manifest != "" {
			policies = slices.DeleteFunc(policies, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Limitador" })
			policies = append(policies, decoded(t, fmt.Sprintf(own, kase.manifest))...)
		}
		limitador := step(t, planned(t, Options{
			Versions: kase.versions, LimiterImage: kase.asked, RegistryMirror: kase.mirror, Policies: policies,
		}), stepLimitador)
		spec, _ := limitador.Patches[0].Merge["spec"].(map[string]any)
		if spec["image"] != kase.want {
			t.Errorf("%s: image %v, want %v", name, spec["image"], kase.want)
		}
		version, there := spec["version"]
		if version != nil || there != (kase.want != nil) {
			t.Errorf("%s: version %v (%v): null must remove it where an image is set, and nothing else touch it", name, version, there)
		}
		if spec["verbosity"] != int64(3) {
			t.Errorf("%s: verbosity %v", name, spec["verbosity"])
		}
		if kase.manifest != "" && spec["replicas"] != int64(2) {
			t.Errorf("%s: the manifest's replicas are lost: %v", name, spec)
		}
	}
}
