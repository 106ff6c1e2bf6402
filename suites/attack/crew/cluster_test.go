package crew

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	inside "github.com/floodgate-dev/floodgate/cluster/crew"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// testCluster is the cluster of the test, a namespace in it, and the image of
// our pods that its nodes have.
func testCluster(t *testing.T) (*kube.Cluster, inside.JobOptions) {
	t.Helper()
	kubeconfig, image := os.Getenv("FLOODGATE_TEST_KUBECONFIG"), os.Getenv("FLOODGATE_TEST_POD_IMAGE")
	if kubeconfig == "" || image == "" {
		t.Skip("SKIPPED: needs a Kubernetes cluster: set FLOODGATE_TEST_KUBECONFIG, and FLOODGATE_TEST_POD_IMAGE to an image that its nodes have")
	}
	c, err := kube.Connect(kubeconfig, "")
	if err != nil {
		t.Fatal(err)
	}
	namespace, err := c.Client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "crew-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := c.Client.CoreV1().Namespaces().Delete(ctx, namespace.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return c, inside.JobOptions{
		Namespace: namespace.Name, Image: image, Command: strings.Fields(os.Getenv("FLOODGATE_TEST_POD_COMMAND")),
		Workers: 3, Run: "20261122T210000Z", Token: NewToken(), Patience: time.Minute,
	}
}

// reachable is a target of this process that the cluster's pods can reach.
func reachable(t *testing.T, c *kube.Cluster, handle http.HandlerFunc) *target {
	t.Helper()
	nodes, err := c.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) == 0 {
		t.Fatalf("%d nodes, %v", len(nodes.Items), err)
	}
	for _, address := range nodes.Items[0].Status.Addresses {
		if address.Type != corev1.NodeInternalIP {
			continue
		}
		// Nothing is sent: this asks which of our addresses leads there.
		route, err := net.Dial("udp", net.JoinHostPort(address.Address, "9"))
		if err != nil {
			t.Fatal(err)
		}
		defer route.Close()
		host, _, err := net.SplitHostPort(route.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		g := newTarget(t, handle)
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		s := &httptest.Server{Listener: listener, Config: &http.Server{Handler: g.Config.Handler, ReadHeaderTimeout: time.Minute}}
		s.Start()
		t.Cleanup(s.Close)
		g.Server = s
		return g
	}
	t.Fatal("the node has no address")
	return nil
}

func TestAJobsWorkersFireExactlyTheHitsOfTheAttack(t *testing.T) {
	c, options := testCluster(t)
	pool, err := inside.StartJob(t.Context(), c, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Stop(context.WithoutCancel(t.Context())) })
	if _, err := inside.StartJob(t.Context(), c, options); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("a second Job of the run: %v", err)
	}
	crew := New(pool.URLs, options.Token)
	for _, pacer := range []attack.Pacer{attack.OneAtATime, attack.Callers(6), attack.Rate(200), attack.Together} {
		t.Run(fmt.Sprintf("%T(%v)", pacer, pacer), func(t *testing.T) {
			g := reachable(t, c, ok)
			ledger, path := newLedger(t)
			report, rows, err := crew.Fire(t.Context(), at(g.URL, 100, pacer), ledger, nil)
			if err != nil {
				t.Fatal(err)
			}
			entries, served := readLedger(t, ledger, path), g.hits()
			if len(entries) != 100 || len(served) != 100 || report.Outcomes[evidence.Admitted] != 100 {
				t.Fatalf("%d entries, %d served, %+v", len(entries), len(served), report)
			}
			for _, e := range entries {
				if decided := served[e.Hit][0].Sub(ledger.Header().Began); decided < e.Sent || decided > e.Received {
					t.Errorf("hit %d was decided at %v, not in %v to %v", e.Seq, decided, e.Sent, e.Received)
				}
			}
			for _, row := range rows {
				t.Logf("%s on %s: %d hits, offset %v ± %v, %.1f of %.1f hits/s", row.Name, pool.Nodes[0], row.Fired, row.Offset, row.Uncertainty, row.Rate, row.PlannedRate)
			}
		})
	}
	t.Run("a pod dies", func(t *testing.T) {
		g := reachable(t, c, slowly(20*time.Millisecond))
		ledger, path := newLedger(t)
		killed := false
		_, rows, err := crew.Fire(t.Context(), at(g.URL, 600, attack.Callers(3)), ledger, func(done int) {
			if done < 50 || killed {
				return
			}
			killed = true
			now := int64(0)
			pods, err := c.Client.CoreV1().Pods(options.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "batch.kubernetes.io/job-completion-index=1"})
			if err == nil && len(pods.Items) == 1 {
				err = c.Client.CoreV1().Pods(options.Namespace).Delete(t.Context(), pods.Items[0].Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
			}
			if err != nil {
				t.Error(err)
			}
		})
		t.Logf("%v\n%+v", err, rows)
		if err == nil {
			t.Error("the attack of a pod that was deleted is no error")
		}
		ids := map[string]bool{}
		for _, e := range readLedger(t, ledger, path) {
			ids[e.Hit] = true
		}
		for id := range g.hits() {
			if !ids[id] {
				t.Errorf("hit %s was served and is in no ledger", id)
			}
		}
	})
	if err := pool.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	for kind, count := range map[string]func() (int, error){
		"pods": func() (int, error) {
			list, err := c.Client.CoreV1().Pods(options.Namespace).List(t.Context(), metav1.ListOptions{})
			return len(list.Items), err
		},
		"Jobs": func() (int, error) {
			list, err := c.Client.BatchV1().Jobs(options.Namespace).List(t.Context(), metav1.ListOptions{})
			return len(list.Items), err
		},
		"Secrets": func() (int, error) {
			list, err := c.Client.CoreV1().Secrets(options.Namespace).List(t.Context(), metav1.ListOptions{})
			return len(list.Items), err
		},
	} {
		if n, err := count(); err != nil || n != 0 {
			t.Errorf("%d %s are left, %v", n, kind, err)
		}
	}
}

func TestAJobThatCannotStartSaysWhy(t *testing.T) {
	c, options := testCluster(t)
	options.Image, options.Patience = "floodgate.dev/absent:none", 15*time.Second
	_, err := inside.StartJob(t.Context(), c, options)
	if err == nil || !strings.Contains(err.Error(), "floodgate.dev/absent:none") || strings.Contains(err.Error(), options.Token) {
		t.Errorf("error %v", err)
	}
	jobs, err := c.Client.BatchV1().Jobs(options.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(jobs.Items) != 0 {
		t.Errorf("%d Jobs are left, %v", len(jobs.Items), err)
	}
}
