package install

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// shelf installs one chart as Helm does: a namespace, CRDs that uninstalling
// leaves, objects, and a Secret that keeps the revision.
type shelf struct {
	cluster  *kube.Cluster
	objects  []*unstructured.Unstructured
	installs int
	// broken ends an installation before its revision is kept.
	broken error
}

func (s *shelf) Render(context.Context, Chart) ([]*unstructured.Unstructured, error) {
	return s.objects, nil
}

func (s *shelf) revision(chart Chart) *unstructured.Unstructured {
	secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret"}}
	secret.SetNamespace(chart.Namespace)
	secret.SetName("sh.helm.release.v1." + chart.Release + ".v1")
	secret.SetLabels(map[string]string{"owner": "helm", "name": chart.Release, "status": "deployed"})
	return secret
}

func (s *shelf) all(chart Chart) []*unstructured.Unstructured {
	space := made{APIVersion: "v1", Kind: "Namespace", Name: chart.Namespace}.object()
	return append([]*unstructured.Unstructured{space}, withNamespace(s.objects, chart.Namespace)...)
}

func (s *shelf) Install(ctx context.Context, chart Chart) error {
	s.installs++
	for _, object := range s.all(chart) {
		if err := s.cluster.Apply(ctx, object); err != nil {
			return err
		}
	}
	if s.broken != nil {
		return s.broken
	}
	return s.cluster.Apply(ctx, s.revision(chart))
}

func (s *shelf) Uninstall(ctx context.Context, chart Chart) error {
	for _, object := range append(withNamespace(s.objects, chart.Namespace), s.revision(chart)) {
		if object.GetKind() == "CustomResourceDefinition" {
			continue
		}
		if err := s.cluster.Delete(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

const chartManifests = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: locks.run.floodgate.dev}
spec:
  group: run.floodgate.dev
  scope: Namespaced
  names: {plural: locks, singular: lock, kind: Lock}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: of-chart}
`

func chartPlan() Plan {
	return Plan{Name: "charted", Steps: []Step{{
		Name: "chart", Patience: time.Minute, Charts: []Chart{{Release: "rel", Namespace: "run-chart", Name: "c", Version: "1"}},
		Ready: []Condition{CRDEstablished("locks.run.floodgate.dev")},
	}}}
}

func TestChart(t *testing.T) {
	server := newAPIServer(t)
	c := connect(t, server.config())
	charts := &shelf{cluster: c, objects: decoded(t, chartManifests)}
	r := &Runner{Cluster: c, Plan: chartPlan(), Charts: charts}
	for range 2 {
		if err := r.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if charts.installs != 1 {
		t.Errorf("installed %d times, want 1: it was there as it should be", charts.installs)
	}
	if err := (&Runner{Cluster: c, Plan: chartPlan()}).Down(t.Context()); err == nil || !strings.Contains(err.Error(), "the charts' program is needed") {
		t.Errorf("down without charts: %v", err)
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); len(left) > 0 {
		t.Errorf("down left %v", left)
	}
}

func TestChartThatFailsHalfway(t *testing.T) {
	server := newAPIServer(t)
	c := connect(t, server.config())
	charts := &shelf{cluster: c, objects: decoded(t, chartManifests), broken: errors.New("hook failed")}
	r := &Runner{Cluster: c, Plan: chartPlan(), Charts: charts}
	if err := r.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "hook failed") {
		t.Fatalf("up: %v", err)
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); len(left) > 0 {
		t.Errorf("down left %v", left)
	}
}

// A release that was there before is upgraded and stays.
func TestForeignReleaseStays(t *testing.T) {
	server := newAPIServer(t)
	c := connect(t, server.config())
	charts := &shelf{cluster: c, objects: decoded(t, chartManifests)}
	chart := chartPlan().Steps[0].Charts[0]
	if err := charts.Install(t.Context(), chart); err != nil {
		t.Fatal(err)
	}
	r := &Runner{Cluster: c, Plan: chartPlan(), Charts: charts}
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Namespace /run-chart", "ConfigMap run-chart/of-chart", "Secret run-chart/sh.helm.release.v1.rel.v1"} {
		if server.object(want) == nil {
			t.Errorf("%s is gone, it was there before: %v", want, server.keys())
		}
	}
}
