package kuadrant

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestMirrorImage(t *testing.T) {
	for _, kase := range []struct{ host, image, want string }{
		{"m.example", "quay.io/kuadrant/limitador:v2.4.2", "m.example/kuadrant/limitador:v2.4.2"},
		{"m.example:5000", "ghcr.io/llm-d/llm-d-inference-sim:v0.10.2", "m.example:5000/llm-d/llm-d-inference-sim:v0.10.2"},
		{"m.example/all/", "quay.io/kuadrant/limitador:v2.4.2", "m.example/all/kuadrant/limitador:v2.4.2"},
		{"localhost:5000", "busybox", "localhost:5000/library/busybox:latest"},
		{"m.example", "istio/pilot:1.29.1", "m.example/istio/pilot:1.29.1"},
		{"m.example", "docker.io/istio/pilot:1.29.1", "m.example/istio/pilot:1.29.1"},
		{"m.example", "docker.io/busybox:1", "m.example/library/busybox:1"},
		{"m.example", "localhost:5001/a/b", "m.example/a/b:latest"},
		{"m.example", "quay.io/a/b@" + someDigest, "m.example/a/b@" + someDigest},
		{"m.example", "quay.io/a/b:v1@" + someDigest, "m.example/a/b:v1@" + someDigest},
		{"m.example", "host:5000/a/b@" + someDigest, "m.example/a/b@" + someDigest},
		{"m.example", "busybox@" + someDigest, "m.example/library/busybox@" + someDigest},
	} {
		got, err := MirrorImage(kase.host, kase.image)
		if err != nil || got != kase.want {
			t.Errorf("%s at %s is %q, %v, want %q", kase.image, kase.host, got, err, kase.want)
		}
	}
	for _, kase := range [][2]string{{"", "a"}, {"https://m", "a"}, {"m.example", "A B"}, {"m example", "a"}, {"m.example", ""}, {"m.example/A b", "a"}, {"m.example", "a@sha256:12"}} {
		if got, err := MirrorImage(kase[0], kase[1]); err == nil {
			t.Errorf("%q at %q is %q", kase[1], kase[0], got)
		}
	}
}

func TestMirrorObjects(t *testing.T) {
	before := decoded(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: n}
spec:
  template:
    spec:
      initContainers: [{name: i, image: busybox}]
      containers:
        - name: c
          image: quay.io/a/b:1
          env:
            - {name: RELATED_IMAGE_X, value: "quay.io/a/x:2"}
            - {name: IMAGE, value: "quay.io/a/x:2"}
            - {name: RELATED_IMAGE_FROM, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: j, namespace: n}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: "istio/x:1"}]}}}}}
---
apiVersion: limitador.kuadrant.io/v1alpha1
kind: Limitador
metadata: {name: limitador, namespace: n}
spec: {image: "quay.io/kuadrant/limitador:v2"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m, namespace: n}
data: {image: "quay.io/a/b:1"}
`)
	kept := before[0].DeepCopy()
	got, err := Mirror("m.example", before)
	if err != nil {
		t.Fatal(err)
	}
	want := decoded(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: n}
spec:
  template:
    spec:
      initContainers: [{name: i, image: "m.example/library/busybox:latest"}]
      containers:
        - name: c
          image: m.example/a/b:1
          env:
            - {name: RELATED_IMAGE_X, value: "m.example/a/x:2"}
            - {name: IMAGE, value: "quay.io/a/x:2"}
            - {name: RELATED_IMAGE_FROM, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: j, namespace: n}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: "m.example/istio/x:1"}]}}}}}
---
apiVersion: limitador.kuadrant.io/v1alpha1
kind: Limitador
metadata: {name: limitador, namespace: n}
spec: {image: "m.example/kuadrant/limitador:v2"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m, namespace: n}
data: {image: "quay.io/a/b:1"}
`)
	if diff := cmp.Diff(contents(want), contents(got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(kept.Object, before[0].Object); diff != "" {
		t.Errorf("the object given was changed: %s", diff)
	}
	bad := decoded(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n}\nspec: {containers: [{name: c, image: A B}]}\n")
	if _, err := Mirror("m.example", bad); err == nil {
		t.Error("a name that is none was taken")
	}
}

// With a mirror no image of the plan has another registry.
func TestNothingIsPulledPastTheMirror(t *testing.T) {
	for _, versions := range []string{Current, Seed} {
		plan := planned(t, Options{Versions: versions, RegistryMirror: "m.example"})
		for _, step := range plan.Steps {
			for _, chart := range step.Charts {
				values, err := mirrorValues("m.example", chart.Values)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(values, chart.Values); len(chart.Values) > 0 && diff != "" {
					t.Errorf("%s, chart %s: %s", versions, chart.Name, diff)
				}
			}
			again, err := Mirror("m.example", step.Objects)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(contents(again), contents(step.Objects)); diff != "" {
				t.Errorf("%s, step %s: %s", versions, step.Name, diff)
			}
		}
		operators := 0
		for _, object := range step(t, plan, kuadrantOperator).Objects {
			if object.GetKind() == "Deployment" {
				operators++
			}
		}
		if operators != 4 {
			t.Errorf("%s: %d operators come from the mirror", versions, operators)
		}
	}
}
