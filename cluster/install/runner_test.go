package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

const space = "run-space"

// manifests are the plan of most tests: a namespace, a custom resource beside
// its definition, a Secret, a Deployment.
const manifests = `
apiVersion: v1
kind: Namespace
metadata: {name: run-space}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gates.run.floodgate.dev}
spec:
  group: run.floodgate.dev
  scope: Namespaced
  names: {plural: gates, singular: gate, kind: Gate}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: run.floodgate.dev/v1
kind: Gate
metadata: {name: one, namespace: run-space}
spec: {height: 3, width: 2}
---
apiVersion: v1
kind: Secret
metadata: {name: bob, namespace: run-space}
stringData: {api_key: never-show-this}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: run-space}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: pause, image: "registry.k8s.io/pause:3.10", imagePullPolicy: IfNotPresent}]
`

func decoded(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := kube.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func samplePlan(t *testing.T) Plan {
	all := decoded(t, manifests)
	return Plan{
		Name: "sample", Versions: map[string]string{"sample": "1"},
		Steps: []Step{
			{Name: "space", About: "the namespace", Objects: all[:1], Patience: time.Minute},
			{
				Name: "gate", About: "definition and resource", Objects: all[1:3], Patience: time.Minute,
				Ready: []Condition{CRDEstablished("gates.run.floodgate.dev"), Exists(all[2])},
			},
			{
				Name: "web", About: "what serves", Objects: all[3:], Patience: time.Minute,
				Ready: []Condition{DeploymentAvailable(space, "web")},
			},
		},
	}
}

func connect(t *testing.T, config *rest.Config) *kube.Cluster {
	t.Helper()
	c, err := kube.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// killer ends the calling goroutine at the n-th request, before the server has
// it or after: what SIGKILL leaves, without the process.
type killer struct {
	inner http.RoundTripper
	calls *atomic.Int64
	at    int64
	after bool
	// writes counts writes alone.
	writes bool
}

func (k killer) RoundTrip(r *http.Request) (*http.Response, error) {
	if k.writes && r.Method == http.MethodGet {
		return k.inner.RoundTrip(r)
	}
	n := k.calls.Add(1)
	if n > k.at || n == k.at && !k.after {
		runtime.Goexit()
	}
	answer, err := k.inner.RoundTrip(r)
	if n == k.at {
		if err == nil {
			_ = answer.Body.Close()
		}
		runtime.Goexit()
	}
	return answer, err
}

// untilKilled runs f with a cluster that dies at the n-th request, and tells
// whether it came to its end before.
func untilKilled(t *testing.T, config *rest.Config, at int64, after, writes bool, f func(*kube.Cluster) error) (ended bool, err error) {
	t.Helper()
	config = rest.CopyConfig(config)
	config.Wrap(func(inner http.RoundTripper) http.RoundTripper {
		return killer{inner, new(atomic.Int64), at, after, writes}
	})
	c := connect(t, config)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = f(c)
		ended = true
	}()
	<-done
	return ended, err
}

func TestUpThenDown(t *testing.T) {
	server := newAPIServer(t)
	var progress bytes.Buffer
	r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t), Progress: &progress}
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Namespace /run-space", "Gate run-space/one", "Secret run-space/bob", "Deployment run-space/web", "ConfigMap floodgate-system/floodgate-install"} {
		if server.object(want) == nil {
			t.Errorf("%s is not there: %v", want, server.keys())
		}
	}
	if state := fmt.Sprint(server.object("ConfigMap floodgate-system/floodgate-install")); strings.Contains(state, "never-show-this") {
		t.Errorf("a key is in the state: %s", state)
	}
	if got := strings.Count(progress.String(), "ready after"); got != 3 {
		t.Errorf("%d lines of steps that are ready: %q", got, progress.String())
	}
	status, err := r.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range status {
		if s.State != Ready || s.Missing != "" || s.Since.IsZero() {
			t.Errorf("status of %s: %+v", s.Name, s)
		}
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); len(left) > 0 {
		t.Errorf("down left %v", left)
	}
	if err := r.Down(t.Context()); err != nil {
		t.Errorf("down again: %v", err)
	}
}

// Every kill of Up, at every request, before and after the server has it.
func TestUpKilledAnywhere(t *testing.T) {
	for _, after := range []bool{false, true} {
		kills := 0
		for at := int64(1); ; at++ {
			server := newAPIServer(t)
			ended, err := untilKilled(t, server.config(), at, after, false, func(c *kube.Cluster) error {
				return (&Runner{Cluster: c, Plan: samplePlan(t)}).Up(t.Context())
			})
			if ended {
				if err != nil {
					t.Fatalf("up without a kill: %v", err)
				}
				break
			}
			kills++
			// Every second time it is taken back at once.
			r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
			if at%2 == 0 {
				if err := r.Up(t.Context()); err != nil {
					t.Fatalf("up after a kill at request %d: %v", at, err)
				}
				status, err := r.Status(t.Context())
				if err != nil || slices.ContainsFunc(status, func(s StepStatus) bool { return s.State != Ready || s.Missing != "" }) {
					t.Fatalf("status after a kill at request %d: %v %+v", at, err, status)
				}
			}
			if err := r.Down(t.Context()); err != nil {
				t.Fatalf("down after a kill at request %d: %v", at, err)
			}
			if left := server.keys(); len(left) > 0 {
				t.Fatalf("kill at request %d (after: %v) left %v", at, after, left)
			}
		}
		if kills < 30 {
			t.Errorf("only %d kills: the test does not see the requests", kills)
		}
	}
}

// Every kill of Down.
func TestDownKilledAnywhere(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := int64(1); ; at++ {
			server := newAPIServer(t)
			r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
			if err := r.Up(t.Context()); err != nil {
				t.Fatal(err)
			}
			ended, err := untilKilled(t, server.config(), at, after, false, func(c *kube.Cluster) error {
				return (&Runner{Cluster: c, Plan: samplePlan(t)}).Down(t.Context())
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Down(t.Context()); err != nil {
				t.Fatalf("down after a kill of down at request %d: %v", at, err)
			}
			if left := server.keys(); len(left) > 0 {
				t.Fatalf("kill of down at request %d left %v", at, left)
			}
			if ended {
				break
			}
		}
	}
}

func TestWhatWasThereStays(t *testing.T) {
	server := newAPIServer(t)
	server.put(t, "api/v1/namespaces/run-space", map[string]any{})
	server.put(t, "api/v1/namespaces/floodgate-system", map[string]any{})
	server.put(t, "api/v1/namespaces/run-space/secrets/bob", map[string]any{"data": map[string]any{"api_key": "b3RoZXI="}})
	before := server.keys()
	r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
	for range 2 {
		if err := r.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); !slices.Equal(left, before) {
		t.Errorf("down left %v, before up there was %v", left, before)
	}
}

// An object of ours that somebody deleted and made anew is theirs; one that a
// spec of ours made anew is ours.
func TestMadeAnew(t *testing.T) {
	for _, byUs := range []bool{false, true} {
		server := newAPIServer(t)
		server.put(t, "api/v1/namespaces/run-space", map[string]any{})
		r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
		if err := r.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		secret := decoded(t, manifests)[3]
		if err := r.Cluster.Delete(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		if byUs {
			if err := r.Cluster.Apply(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
		} else {
			server.put(t, "api/v1/namespaces/run-space/secrets/bob", map[string]any{})
		}
		if err := r.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
		if stays := server.object("Secret run-space/bob") != nil; stays == byUs {
			t.Errorf("made anew by us: %v, stays: %v", byUs, stays)
		}
	}
}

func TestPatchIsUndone(t *testing.T) {
	patched := &unstructured.Unstructured{}
	patched.SetAPIVersion("apps/v1")
	patched.SetKind("Deployment")
	patched.SetNamespace("default")
	patched.SetName("theirs")
	plan := Plan{Name: "patching", Steps: []Step{{
		Name: "patch", Patience: time.Minute,
		Patches: []Patch{{patched, map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"new": "x"}},
			"spec":     map[string]any{"replicas": int64(3), "paused": true},
		}}},
	}}}
	for _, after := range []bool{false, true} {
		for at := int64(1); ; at++ {
			server := newAPIServer(t)
			server.put(t, "api/v1/namespaces/default", map[string]any{})
			server.put(t, "apis/apps/v1/namespaces/default/deployments/theirs", map[string]any{"spec": map[string]any{"replicas": int64(1), "other": "y"}})
			ended, err := untilKilled(t, server.config(), at, after, false, func(c *kube.Cluster) error {
				return (&Runner{Cluster: c, Plan: plan}).Up(t.Context())
			})
			if err != nil {
				t.Fatal(err)
			}
			r := &Runner{Cluster: connect(t, server.config()), Plan: plan}
			if at%2 == 0 || ended {
				if err := r.Up(t.Context()); err != nil {
					t.Fatal(err)
				}
				if spec := fmt.Sprint(server.object("Deployment default/theirs")["spec"]); spec != "map[other:y paused:true replicas:3]" {
					t.Fatalf("not patched: %s", spec)
				}
			}
			if err := r.Down(t.Context()); err != nil {
				t.Fatal(err)
			}
			now := server.object("Deployment default/theirs")
			if spec := fmt.Sprint(now["spec"]); spec != "map[other:y replicas:1]" {
				t.Fatalf("kill at %d: not undone: %s", at, spec)
			}
			if labels, _ := metaOf(now)["labels"].(map[string]any); len(labels) > 0 {
				t.Fatalf("kill at %d: labels left: %v", at, labels)
			}
			if ended {
				break
			}
		}
	}
}

func TestAnotherPlan(t *testing.T) {
	server := newAPIServer(t)
	r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := server.keys()
	for name, change := range map[string]func(*Plan){
		"plan sample is installed there already, plan other": func(p *Plan) { p.Name = "other" },
		"sample is 1, not 2": func(p *Plan) { p.Versions = map[string]string{"sample": "2"} },
	} {
		other := &Runner{Cluster: r.Cluster, Plan: samplePlan(t)}
		change(&other.Plan)
		err := other.Up(t.Context())
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "floodgate down") {
			t.Errorf("up of another plan: %v", err)
		}
	}
	if now := server.keys(); !slices.Equal(now, before) {
		t.Errorf("another plan changed %v to %v", before, now)
	}
	// Whatever plan is asked to go down, what is installed goes.
	if err := (&Runner{Cluster: r.Cluster, Plan: Plan{Name: "other"}}).Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); len(left) > 0 {
		t.Errorf("down of another plan left %v", left)
	}
}

func TestFinalizerIsNamed(t *testing.T) {
	server := newAPIServer(t)
	r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.put(t, "apis/run.floodgate.dev/v1/namespaces/run-space/gates/one", map[string]any{"metadata": map[string]any{"finalizers": []any{"run.floodgate.dev/held"}}})
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, errors.New("the test's patience"))
	defer cancel()
	err := r.Down(ctx)
	if err == nil || !strings.Contains(err.Error(), "Gate run-space/one is not gone") || !strings.Contains(err.Error(), "run.floodgate.dev/held") {
		t.Fatalf("down: %v", err)
	}
	if server.object("CustomResourceDefinition /gates.run.floodgate.dev") == nil || server.object("Namespace /run-space") == nil {
		t.Errorf("down went on behind what is held: %v", server.keys())
	}
}

// An API server that holds a definition looks at it again when it is touched.
func TestHeldDefinitionIsTouched(t *testing.T) {
	const key = "CustomResourceDefinition /gates.run.floodgate.dev"
	server := newAPIServer(t)
	r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	const path = "apis/apiextensions.k8s.io/v1/customresourcedefinitions/gates.run.floodgate.dev"
	server.put(t, path, map[string]any{"metadata": map[string]any{"finalizers": []any{"customresourcecleanup.apiextensions.k8s.io"}}})
	server.refuse = func(method, at string) (int, string, string) {
		if method == http.MethodPatch && at == path {
			delete(server.objects, key)
			return http.StatusNotFound, "NotFound", "it has just gone"
		}
		return 0, "", ""
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("the test's patience"))
	defer cancel()
	if err := r.Down(ctx); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestRefusedObject(t *testing.T) {
	server := newAPIServer(t)
	server.refuse = func(_, path string) (int, string, string) {
		if strings.HasSuffix(path, "deployments/web") {
			return http.StatusUnprocessableEntity, "Invalid", "spec.template: nobody wants it"
		}
		return 0, "", ""
	}
	r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
	start := time.Now()
	err := r.Up(t.Context())
	var blamed *cluster.StartError
	if !errors.As(err, &blamed) || blamed.Component != "web" || !strings.Contains(blamed.Cause.Error(), "nobody wants it") || !strings.Contains(blamed.Waiting, "Deployment run-space/web") {
		t.Fatalf("up: %v", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s to say so", took)
	}
	status, err := r.Status(t.Context())
	if err != nil || status[2].State != Failed || !strings.Contains(status[2].Error, "nobody wants it") || !strings.Contains(status[2].Missing, "Deployment run-space/web") {
		t.Errorf("status: %v %+v", err, status)
	}
	server.refuse = nil
	if err := r.Up(t.Context()); err != nil {
		t.Fatalf("up again: %v", err)
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); len(left) > 0 {
		t.Errorf("down left %v", left)
	}
}

func TestMissingKind(t *testing.T) {
	server := newAPIServer(t)
	all := decoded(t, manifests)
	plan := Plan{Name: "kindless", Steps: []Step{{Name: "gate", Objects: []*unstructured.Unstructured{all[0], all[2]}, Patience: time.Minute}}}
	r := &Runner{Cluster: connect(t, server.config()), Plan: plan}
	err := r.Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "CustomResourceDefinition is missing") || !strings.Contains(err.Error(), "Gate run-space/one") {
		t.Fatalf("up: %v", err)
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); len(left) > 0 {
		t.Errorf("down left %v", left)
	}
}

// A second Up at the same time is refused, not mixed.
func TestTwoAtATime(t *testing.T) {
	server := newAPIServer(t)
	c := connect(t, server.config())
	first, err := begin(t.Context(), c, Namespace, samplePlan(t))
	if err != nil {
		t.Fatal(err)
	}
	second, err := begin(t.Context(), c, Namespace, samplePlan(t))
	if err != nil {
		t.Fatal(err)
	}
	second.state.Steps[0].become(Applied, nil)
	if err := second.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.save(t.Context()); !errors.Is(err, errElsewhere) {
		t.Errorf("the first's next word: %v", err)
	}
}

func TestDryRun(t *testing.T) {
	plan := samplePlan(t)
	plan.Steps[0].Charts = []Chart{{Release: "r", Namespace: "n", Repository: "https://charts.example", Name: "c", Version: "1.2", Values: map[string]any{"apiToken": "never-show-this", "x": 1}}}
	var out bytes.Buffer
	r := &Runner{Plan: plan, Patience: map[string]time.Duration{"web": 7 * time.Second}}
	if err := r.DryRun(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{"# plan sample, 3 steps", "# version sample 1", "[3/3] web: what serves (at most 7s)", "chart c 1.2 of https://charts.example", "kind: Gate", "waits until: Deployment run-space/web", "[redacted]"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "never-show-this") {
		t.Errorf("a key is in\n%s", text)
	}
	objects, err := kube.Decode(out.Bytes())
	if err != nil || len(objects) != 5 {
		t.Errorf("it reads as %d objects: %v", len(objects), err)
	}
}

func TestChecks(t *testing.T) {
	good := samplePlan(t)
	for want, change := range map[string]func(*Runner){
		"there twice":                           func(r *Runner) { r.Plan.Steps[1].Name = "space" },
		"must be more than 0":                   func(r *Runner) { r.Plan.Steps[1].Patience = 0 },
		"down names step nobody":                func(r *Runner) { r.Plan.Down = []string{"nobody"} },
		"its steps are space, gate, web":        func(r *Runner) { r.Patience = map[string]time.Duration{"wep": time.Second} },
		"a Secret cannot be patched":            func(r *Runner) { r.Plan.Steps[0].Patches = []Patch{{decoded(t, manifests)[3], map[string]any{"a": 1}}} },
		"step web installs chart c":             func(r *Runner) { r.Plan.Steps[2].Charts = []Chart{{Release: "r", Namespace: "n", Name: "c"}} },
		"apiVersion, kind and name are needed":  func(r *Runner) { r.Plan.Steps[2].Objects = []*unstructured.Unstructured{{Object: map[string]any{}}} },
		"patience for step web is 0s, it must ": func(r *Runner) { r.Patience = map[string]time.Duration{"web": 0} },
	} {
		server := newAPIServer(t)
		r := &Runner{Cluster: connect(t, server.config()), Plan: good}
		r.Plan.Steps = slices.Clone(good.Steps)
		change(r)
		if err := r.Up(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if made := server.keys(); len(made) > 0 {
			t.Errorf("%s: something was made: %v", want, made)
		}
	}
}

// A step that was ready is looked at again: what is gone is missing, and made.
func TestReadyIsNotBelieved(t *testing.T) {
	server := newAPIServer(t)
	r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
	status, err := r.Status(t.Context())
	if err != nil || len(status) != 3 || status[2].State != Pending || status[2].Missing != "" {
		t.Errorf("status with nothing installed: %v %+v", err, status)
	}
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	web := decoded(t, manifests)[4]
	if err := r.Cluster.Delete(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	if status, err = r.Status(t.Context()); err != nil || !strings.Contains(status[2].Missing, "Deployment run-space/web") {
		t.Errorf("status without the Deployment: %v %+v", err, status)
	}
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.object("Deployment run-space/web") == nil {
		t.Error("up again did not make it")
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := server.keys(); len(left) > 0 {
		t.Errorf("down left %v", left)
	}
}

func TestDownOrder(t *testing.T) {
	for _, kase := range []struct{ down, want []string }{
		{nil, []string{"web", "bob", "one", "gates.run.floodgate.dev", "run-space", "floodgate-system"}},
		{[]string{"gate", "web", "space"}, []string{"one", "gates.run.floodgate.dev", "web", "bob", "run-space", "floodgate-system"}},
		{[]string{"gate"}, []string{"one", "gates.run.floodgate.dev", "web", "bob", "run-space", "floodgate-system"}},
	} {
		server := newAPIServer(t)
		r := &Runner{Cluster: connect(t, server.config()), Plan: samplePlan(t)}
		r.Plan.Down = kase.down
		if err := r.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		var deleted []string
		server.refuse = func(method, path string) (int, string, string) {
			if method == http.MethodDelete {
				deleted = append(deleted, path[strings.LastIndex(path, "/")+1:])
			}
			return 0, "", ""
		}
		if err := r.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(deleted, kase.want) {
			t.Errorf("down %v deleted %v, want %v", kase.down, deleted, kase.want)
		}
	}
}

func TestHowLongAStepMayTakeToBeGone(t *testing.T) {
	r := Runner{
		Plan:     Plan{Steps: []Step{{Name: "quick", Patience: time.Second}, {Name: "slow", Patience: 2 * time.Minute}, {Name: "slower", Patience: time.Second}}},
		Patience: map[string]time.Duration{"slower": 10 * time.Minute},
	}
	definitions := []made{{Kind: "CustomResourceDefinition", Name: "gates.run.floodgate.dev"}}
	for _, c := range []struct {
		step string
		made []made
		want time.Duration
	}{
		{"quick", nil, time.Minute},
		{"slow", nil, 2 * time.Minute},
		{"of another plan", nil, time.Minute},
		{"quick", definitions, 5 * time.Minute},
		{"slower", definitions, 10 * time.Minute},
	} {
		if got := r.downPatience(&stepState{Name: c.step, Made: c.made}); got != c.want {
			t.Errorf("%s, made %v: %s, want %s", c.step, c.made, got, c.want)
		}
	}
}
