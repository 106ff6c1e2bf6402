package kube_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// connected is a cluster for tests.
func connected(t *testing.T) *kube.Cluster {
	t.Helper()
	path := os.Getenv("FLOODGATE_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("SKIPPED: needs a Kubernetes cluster: set FLOODGATE_TEST_KUBECONFIG")
	}
	c, err := kube.Connect(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A port-forward to a Deployment's pod outlives the pod: kube-proxy's or
// CoreDNS's pods are in every cluster, and CoreDNS answers HTTP on 8080.
func TestForwardOutlivesItsPod(t *testing.T) {
	c := connected(t)
	const namespace, selector = "kube-system", "k8s-app=kube-dns"
	forward, err := c.Forward(t.Context(), c.ReadyPod(namespace, selector), 8080)
	if err != nil {
		t.Fatal(err)
	}
	defer forward.Close()
	get := func() error {
		client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Get("http://" + forward.Addr() + "/health")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err == nil && (answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "OK")) {
			err = fmt.Errorf("%s %q", answer.Status, text)
		}
		return err
	}
	for n := range 20 {
		if err := get(); err != nil {
			t.Fatalf("request %d: %v", n+1, err)
		}
	}
	before := forward.Remade()
	first, err := c.ReadyPod(namespace, selector)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := int64(0)
	err = c.Client.CoreV1().Pods(namespace).Delete(t.Context(), first.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, fmt.Errorf("no other pod was forwarded to"))
	defer cancel()
	err = kube.Until(ctx, 200*time.Millisecond, func(context.Context) error {
		if err := get(); err != nil {
			return err
		}
		if forward.Remade() == before {
			return fmt.Errorf("the link is still the first one")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.ReadyPod(namespace, selector)(t.Context())
	if err != nil || second.Name == first.Name {
		t.Errorf("the pod is still %s: %v", first.Name, err)
	}
}

func TestReadyPodSaysWhatIsMissing(t *testing.T) {
	c := connected(t)
	_, err := c.ReadyPod("kube-system", "app=nobody")(t.Context())
	if err == nil || !strings.Contains(err.Error(), "kube-system") || !strings.Contains(err.Error(), "app=nobody") {
		t.Errorf("got %v", err)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	pod := &corev1.Pod{}
	if kube.Ready(pod) {
		t.Error("a pod without conditions counts as ready")
	}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	if kube.Ready(pod) {
		t.Error("Ready=False counts as ready")
	}
	pod.Status.Conditions[0].Status = corev1.ConditionTrue
	if !kube.Ready(pod) {
		t.Error("Ready=True does not count")
	}
}
