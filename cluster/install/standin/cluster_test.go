package standin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/install/standin"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// realCluster is the one of FLOODGATE_TEST_KUBECONFIG, on whose nodes the image
// FLOODGATE_TEST_POD_IMAGE is.
func realCluster(t *testing.T) (*kube.Cluster, standin.Options) {
	t.Helper()
	path, image := os.Getenv("FLOODGATE_TEST_KUBECONFIG"), os.Getenv("FLOODGATE_TEST_POD_IMAGE")
	if path == "" || image == "" {
		t.Skip("SKIPPED: needs a Kubernetes cluster with our image: set FLOODGATE_TEST_KUBECONFIG and FLOODGATE_TEST_POD_IMAGE")
	}
	c, err := kube.Connect(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return c, standin.Options{Image: image, PrometheusImage: os.Getenv("FLOODGATE_TEST_PROMETHEUS_IMAGE"), Variants: seedVariants(t)}
}

// front asks a Gateway.
type front struct{ url string }

func frontOf(t *testing.T, c *kube.Cluster, namespace string) front {
	t.Helper()
	forward, err := c.Forward(t.Context(), c.ReadyPod(namespace, "gateway.networking.k8s.io/gateway-name=infra-sim-inference-gateway"), 80)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = forward.Close() })
	return front{"http://" + forward.Addr() + "/v1/completions"}
}

func (f front) ask(ctx context.Context, key string) (int, error) {
	body := `{"model":"random","prompt":"a","max_tokens":1}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "APIKEY "+key)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// until asks again and again, and says how long it took.
func (f front) until(t *testing.T, key string, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("a minute is over"))
	defer cancel()
	began := time.Now()
	err := kube.Until(ctx, 50*time.Millisecond, func(ctx context.Context) error {
		got, err := f.ask(ctx, key)
		if err == nil && got != want {
			err = fmt.Errorf("answered %d, want %d", got, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d after %s", want, time.Since(began).Round(time.Millisecond))
}

func (f front) sequence(t *testing.T, key string, n int) []int {
	t.Helper()
	var got []int
	for range n {
		code, err := f.ask(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, code)
	}
	return got
}

func TestRealInstallation(t *testing.T) {
	c, options := realCluster(t)
	plan, err := standin.Plan(options)
	if err != nil {
		t.Fatal(err)
	}
	r := &install.Runner{Cluster: c, Plan: plan, Progress: t.Output()}
	t.Cleanup(func() {
		if err := r.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	// What a killed test has left.
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("up after %s", time.Since(began).Round(time.Millisecond))

	front := frontOf(t, c, "llm-d")
	front.until(t, "", http.StatusUnauthorized)
	front.until(t, "enterpriseuser1_key", http.StatusOK)
	limitsArrive(t, c, "free-user-requests", `"max_value":2`)
	// A gateway that was ready before the limiter looks its name up again after
	// five seconds, as Envoy does, and admits until then: another user's 429 tells.
	front.until(t, "freeuser2_key", http.StatusTooManyRequests)
	if got := front.sequence(t, "freeuser1_key", 4); !slices.Equal(got, []int{200, 200, 429, 429}) {
		t.Errorf("freeuser1 got %v", got)
	}
	twin := frontOf(t, c, "llm-d-twin")
	twin.until(t, "enterpriseuser1_key", http.StatusOK)
	twin.until(t, "freeuser2_key", http.StatusTooManyRequests)
	if got := twin.sequence(t, "freeuser1_key", 3); !slices.Equal(got, []int{200, 200, 429}) {
		t.Errorf("freeuser1 at the variant's Gateway got %v", got)
	}
	t.Run("a policy is edited", func(t *testing.T) { editPolicy(t, c, front) })

	if err := r.Up(t.Context()); err != nil {
		t.Errorf("up again: %v", err)
	}
	began = time.Now()
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("down after %s", time.Since(began).Round(time.Millisecond))
	nothingLeft(t, c)
}

// limitsArrive waits until the limiter shows the limits of both Gateways: that a
// policy is Enforced does not prove it.
func limitsArrive(t *testing.T, c *kube.Cluster, texts ...string) {
	t.Helper()
	forward, err := c.Forward(t.Context(), c.ReadyPod("kuadrant-system", "app=limitador"), 8080)
	if err != nil {
		t.Fatal(err)
	}
	defer forward.Close()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 90*time.Second, errors.New("90 s are over"))
	defer cancel()
	began := time.Now()
	err = kube.Until(ctx, 50*time.Millisecond, func(ctx context.Context) error {
		for _, namespace := range []string{"llm-d", "llm-d-twin"} {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+forward.Addr()+"/limits/"+namespace+"%2Fms-sim-llm-d-modelservice", nil)
			if err != nil {
				return err
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				return err
			}
			body, err := io.ReadAll(answer.Body)
			if err := errors.Join(err, answer.Body.Close()); err != nil {
				return err
			}
			for _, text := range texts {
				if !strings.Contains(string(body), text) {
					return fmt.Errorf("%s of %s is not in the limiter: %s", text, namespace, body)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("limits in the limiter after %s", time.Since(began).Round(time.Millisecond))
}

// editPolicy raises a limit, deletes the policy and makes it again.
func editPolicy(t *testing.T, c *kube.Cluster, front front) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind{Group: "kuadrant.io", Version: "v1", Kind: "RateLimitPolicy"})
	object.SetNamespace("llm-d")
	object.SetName("chargeback-limits")
	before, err := c.Get(t.Context(), object)
	if err != nil {
		t.Fatal(err)
	}
	edit := map[string]any{"spec": map[string]any{"limits": map[string]any{"free-user-requests": map[string]any{
		"rates": []any{map[string]any{"limit": 4, "window": "2m"}},
	}}}}
	began := time.Now()
	if err := c.Merge(t.Context(), object, edit); err != nil {
		t.Fatal(err)
	}
	seen := map[string]time.Duration{}
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("a minute is over"))
	defer cancel()
	err = kube.Until(ctx, 10*time.Millisecond, func(ctx context.Context) error {
		live, err := c.Get(ctx, object)
		if err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
		if live.GetGeneration() == before.GetGeneration() {
			return errors.New("the edit has changed nothing")
		}
		observed, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		for _, item := range conditions {
			condition, _ := item.(map[string]any)
			if condition["type"] != "Enforced" {
				continue
			}
			state := fmt.Sprint(condition["status"], " for generation ", observed-before.GetGeneration())
			if _, known := seen[state]; !known {
				seen[state] = time.Since(began)
			}
		}
		return kube.PolicyEnforced(object)(ctx, c)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Enforced during the edit: %v", seen)
	front.until(t, "freeuser1_key", http.StatusOK)
	if err := c.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	front.until(t, "freeuser2_key", http.StatusOK)
	for range 20 {
		if _, err := front.ask(t.Context(), "freeuser2_key"); err != nil {
			t.Fatal(err)
		}
	}
	front.until(t, "freeuser1_key", http.StatusOK)
	if err := c.Apply(t.Context(), kube.Bare(before)); err != nil {
		t.Fatal(err)
	}
	front.until(t, "freeuser2_key", http.StatusTooManyRequests)
}

// nothingLeft looks for what the plan makes outside its namespaces, and for
// these.
func nothingLeft(t *testing.T, c *kube.Cluster) {
	t.Helper()
	for kind, selector := range map[schema.GroupVersionKind]string{
		{Version: "v1", Kind: "Namespace"}:                                               "app.kubernetes.io/managed-by=floodgate",
		{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}: "app.kubernetes.io/managed-by=floodgate",
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"}:         "app.kubernetes.io/managed-by=floodgate",
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBinding"}:  "app.kubernetes.io/managed-by=floodgate",
		{Group: "apps", Version: "v1", Kind: "Deployment"}:                               "floodgate.dev/stand-in=true",
		{Version: "v1", Kind: "Pod"}:                                                     "floodgate.dev/stand-in=true",
	} {
		left, err := c.List(t.Context(), kind, "", selector)
		if err != nil {
			t.Error(err)
		}
		for i := range left {
			// A node image of ours has stand-ins of its own there.
			if left[i].GetNamespace() != "kube-system" {
				t.Errorf("%s is left", kube.Name(&left[i]))
			}
		}
	}
}
