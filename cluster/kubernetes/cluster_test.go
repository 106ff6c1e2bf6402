package kubernetes

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// testNamespace is a namespace of its own in the cluster that the environment
// names.
func testNamespace(t *testing.T) (*kube.Cluster, string) {
	t.Helper()
	path := os.Getenv("FLOODGATE_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("SKIPPED: needs a Kubernetes cluster: set FLOODGATE_TEST_KUBECONFIG")
	}
	c, err := kube.Connect(path, "")
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 4)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	name := "floodgate-test-" + hex.EncodeToString(random)
	namespace := Resource{"v1", "Namespace", "", name}.object()
	if err := c.Apply(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Delete(context.Background(), namespace); err != nil {
			t.Error(err)
		}
	})
	return c, name
}

func configMap(namespace, name, value string) *unstructured.Unstructured {
	o := Resource{"v1", "ConfigMap", namespace, name}.object()
	o.Object["data"] = map[string]any{"value": value}
	return o
}

func dataOf(t *testing.T, c *kube.Cluster, namespace string) map[string]any {
	t.Helper()
	list, err := c.Client.CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]any{}
	for _, m := range list.Items {
		if m.Name != "kube-root-ca.crt" {
			found[m.Name] = m.Data
		}
	}
	return found
}

func TestChangesAreTakenBack(t *testing.T) {
	c, ns := testNamespace(t)
	ctx := t.Context()
	for _, name := range []string{"replaced", "removed", "merged", "left-alone"} {
		if err := c.Apply(ctx, configMap(ns, name, "before")); err != nil {
			t.Fatal(err)
		}
	}
	before := dataOf(t, c, ns)
	dir := t.TempDir()
	// Two processes share the notes.
	first, second := &changes{c, dir}, &changes{c, dir}
	steps := []error{
		first.replace(ctx, configMap(ns, "replaced", "first")),
		second.replace(ctx, configMap(ns, "replaced", "second")),
		first.remove(ctx, configMap(ns, "removed", "")),
		second.replace(ctx, configMap(ns, "removed", "made again")),
		first.replace(ctx, configMap(ns, "made", "new")),
		second.merge(ctx, configMap(ns, "merged", ""), map[string]any{"data": map[string]any{"value": nil, "other": "x"}}),
		first.remove(ctx, configMap(ns, "made", "")),
		second.replace(ctx, configMap(ns, "made", "newer")),
	}
	for i, err := range steps {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	if cmp.Equal(before, dataOf(t, c, ns)) {
		t.Fatal("nothing was changed")
	}
	if err := first.undo(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, dataOf(t, c, ns)); diff != "" {
		t.Error(diff)
	}
	if err := second.undo(ctx); err != nil {
		t.Errorf("taken back again: %v", err)
	}
}

func TestReplaceLeavesNothingOfAnotherManager(t *testing.T) {
	c, ns := testNamespace(t)
	ctx := t.Context()
	applied := configMap(ns, "m", "x")
	applied.Object["data"] = map[string]any{"value": "x", "more": "y"}
	if err := c.Apply(ctx, applied); err != nil {
		t.Fatal(err)
	}
	if err := c.Replace(ctx, configMap(ns, "m", "z")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"m": map[string]string{"value": "z"}}, dataOf(t, c, ns)); diff != "" {
		t.Error(diff)
	}
}

// sleepers are a Deployment of the one image that every node has, and its
// Service, as the limiter.
func sleepers(t *testing.T, c *kube.Cluster, ns string) *System {
	t.Helper()
	return limiters(t, c, ns, pauseImage(t, c), "[]")
}

func pauseImage(t *testing.T, c *kube.Cluster) string {
	t.Helper()
	nodes, err := c.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	image := ""
	for _, i := range nodes.Items[0].Status.Images {
		for _, name := range i.Names {
			if strings.Contains(name, "/pause") && !strings.Contains(name, "@") {
				image = name
			}
		}
	}
	if image == "" {
		t.Skip("SKIPPED: the node has no image of a container that only waits")
	}
	return image
}

// limiters are a Deployment and its Service, as the limiter.
func limiters(t *testing.T, c *kube.Cluster, ns, image, args string) *System {
	t.Helper()
	objects, err := kube.Decode([]byte(strings.NewReplacer("NS", ns, "IMAGE", image, "ARGS", args).Replace(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: limitador-limitador, namespace: NS}
spec:
  replicas: 1
  selector: {matchLabels: {app: limitador, limitador-resource: limitador}}
  template:
    metadata: {labels: {app: limitador, limitador-resource: limitador}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: limitador, image: "IMAGE", args: ARGS, imagePullPolicy: Never}]
---
apiVersion: v1
kind: Service
metadata: {name: limitador-limitador, namespace: NS}
spec: {clusterIP: None, selector: {app: limitador, limitador-resource: limitador}, ports: [{name: http, port: 8080}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if err := c.Apply(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	site := Site{Namespace: ns, Limiter: &Workload{Namespace: ns, Selector: limiterSelector, Port: limiterPort, Service: "limitador-limitador"}}
	dir := t.TempDir()
	s := newSystem(c, dir, state{Run: "test", Site: site, Rights: Rights{}, Image: os.Getenv("FLOODGATE_TEST_POD_IMAGE")}, nil)
	s.opener = true
	if err := s.Ready(t.Context(), limiterName); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestComponentsAreScaledAndRestarted(t *testing.T) {
	c, ns := testNamespace(t)
	s := sleepers(t, c, ns)
	ctx := t.Context()
	names := func() map[string]bool {
		pods, err := c.Pods(ctx, ns, limiterSelector)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, p := range pods {
			found[p.Name] = true
		}
		return found
	}
	if err := s.Scale(ctx, "limitador@twin", 2); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Replicas(ctx, limiterName); err != nil || n != 2 || len(names()) != 2 {
		t.Fatalf("%d replicas, pods %v, %v", n, names(), err)
	}
	old := names()
	if err := s.Restart(ctx, limiterName); err != nil {
		t.Fatal(err)
	}
	for name := range names() {
		if old[name] {
			t.Errorf("pod %s was there before the restart", name)
		}
	}
	if err := s.Kill(ctx, limiterName); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(ctx, limiterName); err != nil {
		t.Fatal(err)
	}
	if err := s.Scale(ctx, limiterName, 0); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Replicas(ctx, limiterName); err != nil || n != 0 {
		t.Errorf("scaled to nothing: %d, %v", n, err)
	}
	if err := s.Down(ctx); err != nil {
		t.Fatal(err)
	}
	d, err := c.Client.AppsV1().Deployments(ns).Get(ctx, "limitador-limitador", metav1.GetOptions{})
	if err != nil || *d.Spec.Replicas != 1 {
		t.Errorf("after Down: %v, %v", d.Spec.Replicas, err)
	}
	if _, err := s.Replicas(ctx, "nobody"); err == nil {
		t.Error("a component that is none was found")
	}
}

func TestNetworkFaultsComeAndGo(t *testing.T) {
	c, ns := testNamespace(t)
	image := os.Getenv("FLOODGATE_TEST_POD_IMAGE")
	if image == "" {
		t.Skip("SKIPPED: needs a Kubernetes cluster with our image: set FLOODGATE_TEST_POD_IMAGE")
	}
	s := limiters(t, c, ns, image, `[llmd, --bind, 0.0.0.0, --port, "8080", --model, random]`)
	ctx := t.Context()
	const service = "limitador-limitador"
	own, err := c.Pods(ctx, ns, limiterSelector)
	if err != nil {
		t.Fatal(err)
	}
	// Whoever asks finds what the Service leads to now.
	ask := func() (time.Duration, error) {
		found, err := c.Client.CoreV1().Services(ns).Get(ctx, service, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		forward, err := c.Forward(ctx, c.ReadyPod(ns, labelsOf(found.Spec.Selector)), limiterPort)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = forward.Close() }()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		began := time.Now()
		answer, err := client.Get("http://" + forward.Addr() + "/health")
		if err != nil {
			return time.Since(began), err
		}
		return time.Since(began), answer.Body.Close()
	}
	const delay = 2 * time.Second
	for name, fault := range map[string]cluster.NetworkFault{"cut": {Cut: true}, "slow": {Delay: delay}} {
		t.Run(name, func(t *testing.T) {
			if took, err := ask(); err != nil || took >= delay {
				t.Fatalf("before: %v, %v", took, err)
			}
			mend, err := s.Interfere(ctx, limiterName, fault)
			if err != nil {
				t.Fatal(err)
			}
			if took, err := ask(); fault.Cut == (err == nil) || err == nil && took < delay {
				t.Errorf("meanwhile: %v, %v", took, err)
			}
			if err := mend(ctx); err != nil {
				t.Fatal(err)
			}
			if err := kube.ServiceLeadsTo(ns, service, []string{own[0].Name})(ctx, c); err != nil {
				t.Errorf("mended: %v", err)
			}
			if took, err := ask(); err != nil || took >= delay {
				t.Errorf("mended: %v, %v", took, err)
			}
		})
	}
	for _, fault := range []cluster.NetworkFault{{Delay: delay}, {Cut: true}} {
		if _, err := s.Interfere(ctx, limiterName, fault); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(); err == nil {
		t.Error("the second fault has not taken the place of the first")
	}
	if err := s.Down(ctx); err != nil {
		t.Fatal(err)
	}
	found, err := c.Client.CoreV1().Services(ns).List(ctx, metav1.ListOptions{})
	if err != nil || len(found.Items) != 1 || found.Items[0].Spec.Selector[proxyLabel] != "" || len(found.Items[0].Spec.Selector) != 2 {
		t.Errorf("after Down: %v, %v", found.Items, err)
	}
	if left, err := c.Pods(ctx, ns, proxyLabel); err != nil || len(left) > 0 {
		t.Errorf("after Down: pods %v, %v", left, err)
	}
}

func TestSecretsOfARunGoWithIt(t *testing.T) {
	c, ns := testNamespace(t)
	s := newSystem(c, t.TempDir(), state{Run: "test", Rights: Rights{}}, nil)
	s.opener = true
	s.up = cluster.Stack{Variants: map[string]cluster.Variant{MainVariant: {Name: MainVariant}}}
	secret := []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: one, namespace: " + ns + ", labels: {authorino.kuadrant.io/managed-by: authorino}}\nstringData: {api_key: first-of-one}\n")
	ctx := t.Context()
	if err := s.PutSecret(ctx, MainVariant, secret); err != nil {
		t.Fatal(err)
	}
	if err := s.PutSecret(ctx, MainVariant, []byte(strings.Replace(string(secret), "first", "second", 1))); err != nil {
		t.Fatal(err)
	}
	live, err := c.Client.CoreV1().Secrets(ns).Get(ctx, "one", metav1.GetOptions{})
	if err != nil || string(live.Data["api_key"]) != "second-of-one" || live.Labels[RunLabel] != "test" || live.Labels["authorino.kuadrant.io/managed-by"] != "authorino" {
		t.Fatalf("got %v, %v", live.Labels, err)
	}
	if err := s.PutSecret(ctx, MainVariant, []byte("kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, namespace: b}\ndata: {k: a-key-of-sorts}")); err == nil || strings.Contains(err.Error(), "a-key-of-sorts") {
		t.Errorf("no Secret: %v", err)
	}
	if err := s.DeleteSecret(ctx, MainVariant, []byte(strings.Replace(string(secret), "name: one", "name: two", 1))); !kube.Missing(err) {
		t.Errorf("one that is not there: %v", err)
	}
	if err := s.Down(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Client.CoreV1().Secrets(ns).Get(ctx, "one", metav1.GetOptions{}); !kube.Missing(err) {
		t.Errorf("after Down: %v", err)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	c, ns := testNamespace(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// Nothing of Kuadrant's is in a namespace of our own.
	site, err := Discover(ctx, c, cluster.KubernetesOptions{KuadrantNamespace: ns, GatewayName: ns + "/none"})
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"limiter", "authorizer", "model"} {
		if site.Missing[what] == "" {
			t.Errorf("it is not said that the %s is missing: %v", what, site.Missing)
		}
	}
	rights, err := RightsOf(ctx, c, site, false)
	if err != nil || len(rights) != 0 {
		t.Errorf("an administrator lacks %v, %v", rights, err)
	}
	rights, err = RightsOf(ctx, c, site, true)
	if err != nil || rights.Lacks(Secrets) == nil || rights.Lacks(Forwards) != nil {
		t.Errorf("reading only lacks %v, %v", rights, err)
	}
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody", Namespace: ns}}
	if _, err := c.Client.CoreV1().ServiceAccounts(ns).Create(ctx, sa, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config := *c.Config
	config.Impersonate.UserName = "system:serviceaccount:" + ns + ":nobody"
	nobody, err := kube.New(&config)
	if err != nil {
		t.Fatal(err)
	}
	rights, err = RightsOf(ctx, nobody, site, false)
	if err != nil || len(rights) != len(needed(site)) {
		t.Errorf("nobody lacks %v, %v", rights, err)
	}
}
