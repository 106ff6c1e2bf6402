package kubernetes

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
)

func seedSet(t *testing.T) *policy.Set {
	t.Helper()
	set, err := policy.ReadFS(seed.FS, "seed")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func decoded(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	// The API's numbers are integers.
	encoded, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.UnmarshalJSON(encoded); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestGatewayAddressesBestFirst(t *testing.T) {
	gateway := decoded(t, `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: llm-d}
spec: {listeners: [{name: tls, port: 443, protocol: HTTPS}, {name: plain, port: 80, protocol: HTTP}]}
status: {addresses: [{type: Hostname, value: edge.example.com}]}`)
	port, scheme, err := listenerOf(gateway)
	if err != nil || port != 80 || scheme != "http" {
		t.Fatalf("listener: %d %s %v", port, scheme, err)
	}
	service := corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 15021, NodePort: 30001}, {Port: 80, NodePort: 30002}}}}
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.9"}}
	node := corev1.Node{Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
		{Type: corev1.NodeHostName, Address: "node"}, {Type: corev1.NodeInternalIP, Address: "172.18.0.2"},
	}}}
	got := gatewayAddresses(gateway, []corev1.Service{service}, []corev1.Node{node}, port)
	want := []string{"edge.example.com:80", "203.0.113.9:80", "172.18.0.2:30002"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, _, err := listenerOf(decoded(t, "{kind: Gateway, apiVersion: v1, spec: {listeners: [{port: 1, protocol: TCP}]}}")); err == nil {
		t.Error("a listener of TCP was taken")
	}
}

func TestPodPort(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 9000}}}}}}
	for name, test := range map[string]struct {
		port corev1.ServicePort
		want int
	}{
		"a number":     {corev1.ServicePort{Port: 80, TargetPort: intstr.FromInt32(8080)}, 8080},
		"a name":       {corev1.ServicePort{Port: 80, TargetPort: intstr.FromString("web")}, 9000},
		"nothing":      {corev1.ServicePort{Port: 80}, 80},
		"unknown name": {corev1.ServicePort{Port: 80, TargetPort: intstr.FromString("grpc")}, 80},
	} {
		if got := podPort(pod, test.port); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestSettled(t *testing.T) {
	pod := func(uid string, change func(*corev1.Pod)) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: uid, UID: types.UID(uid)}}
		p.Status.Phase = corev1.PodRunning
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		if change != nil {
			change(&p)
		}
		return p
	}
	ending := func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }
	waiting := func(p *corev1.Pod) { p.Status.Conditions = nil }
	ended := func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
	for name, test := range map[string]struct {
		pods     []corev1.Pod
		replicas int
		old      map[types.UID]bool
		says     string
	}{
		"as many as wanted":    {[]corev1.Pod{pod("a", nil), pod("b", nil)}, 2, nil, ""},
		"none wanted":          {nil, 0, nil, ""},
		"too few":              {[]corev1.Pod{pod("a", nil)}, 2, nil, "1 of 2"},
		"too many":             {[]corev1.Pod{pod("a", nil), pod("b", nil)}, 1, nil, "2 of 1"},
		"one is ending":        {[]corev1.Pod{pod("a", nil), pod("b", ending)}, 1, nil, "b is still ending"},
		"one is not ready":     {[]corev1.Pod{pod("a", waiting)}, 1, nil, "a is not ready"},
		"the old one is there": {[]corev1.Pod{pod("a", nil)}, 1, map[types.UID]bool{"a": true}, "a is still there"},
		"one that ended":       {[]corev1.Pod{pod("a", nil), pod("b", ended)}, 1, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := settled(test.pods, test.replicas, test.old)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
}

// merged is RFC 7396.
func merged(target, patch map[string]any) map[string]any {
	result := map[string]any{}
	maps.Copy(result, target)
	for name, value := range patch {
		if value == nil {
			delete(result, name)
			continue
		}
		if inner, ok := value.(map[string]any); ok {
			was, _ := result[name].(map[string]any)
			result[name] = merged(was, inner)
			continue
		}
		result[name] = value
	}
	return result
}

// pruned has no empty objects: a merge can leave one where there was none.
func pruned(object map[string]any) map[string]any {
	result := map[string]any{}
	for name, value := range object {
		if inner, ok := value.(map[string]any); ok {
			if inner = pruned(inner); len(inner) > 0 {
				result[name] = inner
			}
			continue
		}
		result[name] = value
	}
	return result
}

func TestInverseTakesAMergeBack(t *testing.T) {
	var object func(depth int) *rapid.Generator[map[string]any]
	object = func(depth int) *rapid.Generator[map[string]any] {
		return rapid.Custom(func(t *rapid.T) map[string]any {
			o := map[string]any{}
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID).Draw(t, "names") {
				if depth > 0 && rapid.Bool().Draw(t, "nested") {
					o[name] = object(depth-1).Draw(t, name)
				} else {
					o[name] = rapid.SampledFrom([]any{"x", "y", int64(1)}).Draw(t, name)
				}
			}
			return o
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		before, patch := object(2).Draw(t, "before"), object(2).Draw(t, "patch")
		after := merged(before, patch)
		if diff := cmp.Diff(pruned(before), pruned(merged(after, inverse(patch, before)))); diff != "" {
			t.Fatalf("%v merged into %v, and back: %s", patch, before, diff)
		}
	})
}

func TestPolicyStateReadsWhatObjectsSay(t *testing.T) {
	const text = `
apiVersion: kuadrant.io/v1
kind: RateLimitPolicy
metadata: {name: limits, namespace: llm-d, generation: GENERATION}
status:
  observedGeneration: 2
  conditions: [{type: Accepted, status: "True"}, {type: Enforced, status: "ENFORCED", message: waiting for Limitador}]`
	for name, test := range map[string]struct {
		generation, enforced string
		want                 cluster.PolicyState
	}{
		"in order":         {"2", "True", cluster.PolicyState{Current: true, Accepted: true, Enforced: true}},
		"of an old change": {"3", "True", cluster.PolicyState{Accepted: true, Enforced: true, Reasons: []string{"RateLimitPolicy llm-d/limits: its status is of change 2, the last is 3"}}},
		"not enforced":     {"2", "False", cluster.PolicyState{Current: true, Accepted: true, Reasons: []string{"RateLimitPolicy llm-d/limits: Enforced is False: waiting for Limitador"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := cluster.PolicyState{Current: true, Accepted: true, Enforced: true}
			read(&got, decoded(t, strings.NewReplacer("GENERATION", test.generation, "ENFORCED", test.enforced).Replace(text)))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVariantsLieBesideThePolicy(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	if err := os.CopyFS(dir, seed.FS); err != nil {
		t.Fatal(err)
	}
	variants, err := Variants(state, []cluster.VariantSpec{{Name: MainVariant, Dir: dir}, {Name: "twin", Dir: dir, RateLimitHeaders: true}})
	if err != nil {
		t.Fatal(err)
	}
	if variants[MainVariant].Dir != dir || variants[MainVariant].Make {
		t.Errorf("the user's policy: %+v", variants[MainVariant])
	}
	twin := variants["twin"]
	if !strings.HasPrefix(twin.Dir, state) || !twin.Make || !twin.RateLimitHeaders {
		t.Errorf("the twin: %+v", twin)
	}
	again, err := policy.Read(twin.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := namespacesOf(again); !slices.Equal(got, []string{"llm-d-twin/ms-sim-llm-d-modelservice"}) {
		t.Errorf("the limiter's namespaces: %v", got)
	}
	objects, err := VariantObjects(twin)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, o := range objects {
		kinds = append(kinds, o.GetKind())
		if o.GetLabels()[managedByLabel] != managedByUs {
			t.Errorf("%s %s is not marked as ours", o.GetKind(), o.GetName())
		}
		if o.GetKind() == "Secret" {
			t.Error("a variant has keys of its own")
		}
	}
	if kinds[0] != "Namespace" || slices.Index(kinds, "RateLimitPolicy") < slices.Index(kinds, "Gateway") {
		t.Errorf("the order is %v", kinds)
	}
	s := &System{state: stateOf(Site{}, Rights{}), progress: &say{}}
	if kept := s.choose(variants); len(kept) != 1 {
		t.Errorf("a limiter without headers keeps %d variants", len(kept))
	}
	s.state = stateOf(Site{RateLimitHeaders: true}, Rights{MakeVariants: "--read-only"})
	if kept := s.choose(variants); len(kept) != 1 {
		t.Errorf("who may only read keeps %d variants", len(kept))
	}
	s.state = stateOf(Site{RateLimitHeaders: true}, Rights{})
	if kept := s.choose(variants); len(kept) != 2 {
		t.Errorf("who may do all keeps %d variants", len(kept))
	}
}

func stateOf(site Site, rights Rights) state { return state{Site: site, Rights: rights} }

func TestKeysComeFirst(t *testing.T) {
	objects, err := objectsOf(seedSet(t))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, name := range order(objects) {
		kinds = append(kinds, objects[name].object.GetKind())
	}
	want := []string{"Secret", "DestinationRule", "Gateway", "HTTPRoute", "AuthPolicy", "TelemetryPolicy", "RateLimitPolicy"}
	if diff := cmp.Diff(want, slices.Compact(kinds)); diff != "" {
		t.Error(diff)
	}
}

func TestStateAndKubeconfigAreKept(t *testing.T) {
	dir := t.TempDir()
	given := filepath.Join(t.TempDir(), "config")
	ca := filepath.Join(filepath.Dir(given), "ca.pem")
	if err := os.WriteFile(ca, []byte("certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	const text = `
apiVersion: v1
kind: Config
current-context: other
contexts:
- {name: this, context: {cluster: c, user: u}}
- {name: other, context: {cluster: d, user: v}}
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:1", certificate-authority: ca.pem}}
- {name: d, cluster: {server: "https://127.0.0.1:2"}}
users:
- {name: u, user: {token: mine}}
- {name: v, user: {token: of-another-cluster}}`
	if err := os.WriteFile(given, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keepKubeconfig(given, "this", dir); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(dir, kubeconfigFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{"current-context: this", "certificate-authority-data:", "mine"} {
		if !strings.Contains(string(kept), wanted) {
			t.Errorf("%q is not kept", wanted)
		}
	}
	if strings.Contains(string(kept), "of-another-cluster") {
		t.Error("the token of another cluster is kept")
	}
	info, err := os.Stat(filepath.Join(dir, kubeconfigFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the kubeconfig has mode %v (%v)", info.Mode(), err)
	}
	st := state{Provider: "kind", Run: "r", Site: Site{Limiter: &Workload{Namespace: "k", Selector: "a=b", Port: 1}}, Rights: Rights{Secrets: "no"}}
	if err := st.write(dir); err != nil {
		t.Fatal(err)
	}
	if again, err := readState(dir); err != nil || cmp.Diff(st, again) != "" {
		t.Errorf("%v: %s", err, cmp.Diff(st, again))
	}
	if _, err := Attach(t.Context(), cluster.Stack{Provider: "existing", State: dir}); err == nil {
		t.Error("another provider's stack was attached to")
	}
	if _, err := Attach(t.Context(), cluster.Stack{Provider: "kind", State: filepath.Join(dir, "gone")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a stack that is down: %v", err)
	}
}

func TestRightsDecideCapabilities(t *testing.T) {
	site := Site{Limiter: &Workload{}, Missing: map[string]string{"model": "no route"}}
	for name, test := range map[string]struct {
		rights     Rights
		capability any
		says       string
	}{
		"all rights":       {Rights{}, (*cluster.IdentityIssuer)(nil), ""},
		"no Secrets":       {Rights{Secrets: "create secrets"}, (*cluster.IdentityIssuer)(nil), "create secrets"},
		"others stay":      {Rights{Secrets: "create secrets"}, (*cluster.PolicyEditor)(nil), ""},
		"no pods to end":   {Rights{EndPods: "delete pods"}, (*cluster.Killer)(nil), "delete pods"},
		"observed always":  {Rights{Policies: "x"}, (*cluster.PolicyObserver)(nil), ""},
		"no forwards here": {Rights{Forwards: "x"}, (*cluster.LimiterLister)(nil), "forward"},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&System{state: stateOf(site, test.rights)}).Lacks(test.capability)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
	for _, one := range CapabilitiesOf(site, Rights{}) {
		if one.Name == "book of the backend" && (one.Has || !strings.Contains(one.Why, "no route")) {
			t.Errorf("got %+v", one)
		}
	}
}

func TestSelectorsOfKeys(t *testing.T) {
	o := decoded(t, `
apiVersion: kuadrant.io/v1
kind: AuthPolicy
spec:
  defaults:
    rules:
      authentication:
        a: {apiKey: {allNamespaces: true, selector: {matchLabels: {app: x}}}}
        b: {jwt: {issuerUrl: y}}
        c: {apiKey: {selector: {matchExpressions: [{key: tier, operator: In, values: [a, b]}]}}}`)
	got := apiKeys(o.Object["spec"])
	slices.SortFunc(got, func(a, b keySelector) int { return strings.Compare(a.selector, b.selector) })
	want := []keySelector{{"app=x", true}, {"tier in (a,b)", false}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNamesOfImagesAndRuns(t *testing.T) {
	for image, want := range map[string]string{
		"quay.io/kuadrant/limitador:v2.4.2": "v2.4.2", "host:5000/limitador": "latest", "a/b@sha256:12": "sha256:12", "floodgate.dev/pod:dev": "dev",
	} {
		if got := imageVersion(image); got != want {
			t.Errorf("%s: %s, want %s", image, got, want)
		}
	}
	if got := faultsOf([]string{"--bind", "x", "--fault", "a", "--fault=b"}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("faults: %v", got)
	}
	for dir, want := range map[string]string{"/out/20261122T210000Z": "20261122T210000Z", "/out/my run!": "my-run", "/x/-.a": "a"} {
		if got := runName(dir); got != want {
			t.Errorf("%s: %s, want %s", dir, got, want)
		}
	}
}
