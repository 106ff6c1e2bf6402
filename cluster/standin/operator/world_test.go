package operator

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// world is an API server in memory with what controllers do: every Deployment
// becomes available, unless stuck says otherwise.
type world struct {
	t       *testing.T
	objects map[resource]map[string]*unstructured.Unstructured
	version int
	// writes are the names of what was written since they were last emptied.
	writes []string
	stuck  bool
	memory written
	clock  time.Time
}

func newWorld(t *testing.T, objects ...*unstructured.Unstructured) *world {
	w := &world{t: t, objects: map[resource]map[string]*unstructured.Unstructured{}, memory: written{}, clock: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	for _, o := range objects {
		w.put(o)
	}
	return w
}

// put makes or changes an object as a user does.
func (w *world) put(o *unstructured.Unstructured) {
	r, ok := resourceOf(o)
	if !ok {
		w.t.Fatalf("%s: not a kind of this world", kube.Name(o))
	}
	w.store(r, o)
}

func (w *world) store(r resource, o *unstructured.Unstructured) *unstructured.Unstructured {
	w.version++
	o = o.DeepCopy()
	before := w.objects[r][name(o)]
	generation, uid := int64(1), types.UID(fmt.Sprintf("uid-%d", w.version))
	if before != nil {
		generation, uid = before.GetGeneration(), before.GetUID()
		if !covers(before.Object["spec"], o.Object["spec"]) || !covers(o.Object["spec"], before.Object["spec"]) {
			generation++
		}
		if _, given := o.Object["status"]; !given && before.Object["status"] != nil {
			o.Object["status"] = before.Object["status"]
		}
	}
	o.SetGeneration(generation)
	o.SetUID(uid)
	o.SetResourceVersion(fmt.Sprint(w.version))
	if r == deployments && !w.stuck {
		o.Object["status"] = map[string]any{"observedGeneration": generation, "availableReplicas": int64(1), "updatedReplicas": int64(1)}
	}
	if w.objects[r] == nil {
		w.objects[r] = map[string]*unstructured.Unstructured{}
	}
	w.objects[r][name(o)] = o
	return o
}

func (w *world) all(r resource) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, o := range w.objects[r] {
		found = append(found, o)
	}
	slices.SortFunc(found, func(a, b *unstructured.Unstructured) int { return strings.Compare(name(a), name(b)) })
	return found
}

func (w *world) get(r resource, namespace, called string) *unstructured.Unstructured {
	return w.objects[r][namespace+"/"+called]
}

func (w *world) apply(_ context.Context, r resource, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	w.writes = append(w.writes, kube.Name(o))
	merged := o.DeepCopy()
	if before := w.get(r, o.GetNamespace(), o.GetName()); before != nil {
		merged = before.DeepCopy()
		overlay(merged.Object, o.DeepCopy().Object)
	}
	return w.store(r, merged), nil
}

func overlay(into, from map[string]any) {
	for member, value := range from {
		inner, isMap := value.(map[string]any)
		known, wasMap := into[member].(map[string]any)
		if isMap && wasMap {
			overlay(known, inner)
			continue
		}
		into[member] = value
	}
}

func (w *world) applyStatus(_ context.Context, r resource, o *unstructured.Unstructured) error {
	w.writes = append(w.writes, "status of "+kube.Name(o))
	live := w.get(r, o.GetNamespace(), o.GetName()).DeepCopy()
	live.Object["status"] = o.DeepCopy().Object["status"]
	w.store(r, live)
	return nil
}

func (w *world) annotate(_ context.Context, r resource, o *unstructured.Unstructured, called, value string) error {
	w.writes = append(w.writes, "annotation of "+kube.Name(o))
	live := w.get(r, o.GetNamespace(), o.GetName()).DeepCopy()
	annotations := live.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[called] = value
	live.SetAnnotations(annotations)
	w.store(r, live)
	return nil
}

func (w *world) remove(_ context.Context, r resource, o *unstructured.Unstructured) error {
	w.writes = append(w.writes, "end of "+kube.Name(o))
	delete(w.objects[r], name(o))
	return nil
}

// snapshot is the world as a watch shows it: later writes are not in it.
type snapshot map[resource]map[string]*unstructured.Unstructured

func (s snapshot) all(r resource) []*unstructured.Unstructured {
	return (&world{objects: s}).all(r)
}

func (s snapshot) get(r resource, namespace, called string) *unstructured.Unstructured {
	return s[r][namespace+"/"+called]
}

// pass runs one pass on what is there now.
func (w *world) pass() {
	w.t.Helper()
	seen := snapshot{}
	for r, objects := range w.objects {
		seen[r] = map[string]*unstructured.Unstructured{}
		for key, o := range objects {
			seen[r][key] = o.DeepCopy()
		}
	}
	w.clock = w.clock.Add(time.Second)
	p := &pass{
		objects: seen, writer: w, options: options{image: "floodgate.dev/pod:test", faults: map[string][]string{}},
		written: w.memory, log: slog.New(slog.DiscardHandler), now: func() time.Time { return w.clock },
	}
	if err := p.run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// settle runs passes until one writes nothing.
func (w *world) settle() {
	w.t.Helper()
	for range 10 {
		w.writes = nil
		if w.pass(); len(w.writes) == 0 {
			return
		}
	}
	w.t.Fatalf("does not settle; the last pass wrote %q", w.writes)
}

// recorded are the objects of a real installation.
func recorded(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile("testdata/recorded.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects, err := kube.Decode(content)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*unstructured.Unstructured{}
	for _, o := range objects {
		if o, err = reread(o); err != nil {
			t.Fatal(err)
		}
		byName[kube.Name(o)] = o
	}
	return byName
}

// causesOf are the recorded objects that users write, without what the cluster
// added.
func causesOf(t *testing.T, all map[string]*unstructured.Unstructured, names ...string) []*unstructured.Unstructured {
	t.Helper()
	var found []*unstructured.Unstructured
	for _, called := range names {
		if all[called] == nil {
			t.Fatalf("%s was not recorded", called)
		}
		found = append(found, kube.Bare(all[called]))
	}
	return found
}

const (
	theKuadrant = "Kuadrant kuadrant-system/kuadrant"
	theGateway  = "Gateway llm-d/infra-sim-inference-gateway"
	theRoute    = "HTTPRoute llm-d/ms-sim-llm-d-modelservice"
	theAuth     = "AuthPolicy llm-d/chargeback-auth"
	theLimits   = "RateLimitPolicy llm-d/chargeback-limits"
)

// demo is the recorded installation, made again.
func demo(t *testing.T) (*world, map[string]*unstructured.Unstructured) {
	t.Helper()
	all := recorded(t)
	w := newWorld(t, causesOf(t, all, theKuadrant, theGateway, theRoute, theAuth, theLimits)...)
	w.settle()
	return w, all
}

func (w *world) named(called string) *unstructured.Unstructured {
	for r := range w.objects {
		for _, o := range w.all(r) {
			if kube.Name(o) == called {
				return o
			}
		}
	}
	w.t.Fatalf("%s is not there", called)
	return nil
}

func (w *world) has(called string) bool {
	for r := range w.objects {
		for _, o := range w.all(r) {
			if kube.Name(o) == called {
				return true
			}
		}
	}
	return false
}
