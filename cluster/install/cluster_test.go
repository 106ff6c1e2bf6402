package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// realCluster is the one of FLOODGATE_TEST_KUBECONFIG: one node that has
// registry.k8s.io/pause:3.10, and nothing of floodgate's installed.
func realCluster(t *testing.T) *kube.Cluster {
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

// nothingLeft tells whether down took everything back.
func nothingLeft(t *testing.T, c *kube.Cluster, namespaces ...string) {
	t.Helper()
	for _, name := range append(namespaces, Namespace) {
		gone, err := c.Gone(t.Context(), made{APIVersion: "v1", Kind: "Namespace", Name: name}.object())
		if err != nil || !gone {
			t.Errorf("namespace %s is there after down (%v)", name, err)
		}
	}
	gone, err := c.Gone(t.Context(), made{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: "gates.run.floodgate.dev"}.object())
	if err != nil || !gone {
		t.Errorf("the definition is there after down (%v)", err)
	}
}

func TestRealUpThenDown(t *testing.T) {
	c := realCluster(t)
	r := &Runner{Cluster: c, Plan: samplePlan(t), Progress: t.Output()}
	t.Cleanup(func() {
		if err := r.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	for range 2 {
		if err := r.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	status, err := r.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range status {
		if s.State != Ready || s.Missing != "" {
			t.Errorf("status of %s: %+v", s.Name, s)
		}
	}
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, c, space)
}

// everyWrite makes TestRealUpKilledAtEveryWrite live up to its name; otherwise it
// kills at every third write, which is what a gate can wait for.
const everyWrite = "FLOODGATE_TEST_EVERY_WRITE"

// Killed at writes all along, against a real API server, before and after they
// arrive.
func TestRealUpKilledAtEveryWrite(t *testing.T) {
	realCluster(t)
	t.Parallel()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("FLOODGATE_TEST_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Cluster: connect(t, config), Plan: samplePlan(t), Progress: t.Output()}
	t.Cleanup(func() {
		if err := r.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	stride := int64(3)
	if os.Getenv(everyWrite) != "" {
		stride = 1
	}
	for at, round := int64(1), 1; ; at, round = at+stride, round+1 {
		ended, err := untilKilled(t, config, at, round%2 == 0, true, func(c *kube.Cluster) error {
			return (&Runner{Cluster: c, Plan: samplePlan(t)}).Up(t.Context())
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("killed at write %d: %v", at, !ended)
		if round%3 == 0 || ended {
			if err := r.Up(t.Context()); err != nil {
				t.Fatalf("up after a kill at write %d: %v", at, err)
			}
		}
		if err := r.Down(t.Context()); err != nil {
			t.Fatalf("down after a kill at write %d: %v", at, err)
		}
		nothingLeft(t, r.Cluster, space)
		if ended {
			if at < 10 {
				t.Errorf("only %d writes were seen", at)
			}
			return
		}
	}
}

// deployment is one with a container and whatever else a case needs.
func deployment(container, pod string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: run-fail}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, imagePullPolicy: IfNotPresent, %s}]
      %s
`, container, pod)
}

func TestRealFailures(t *testing.T) {
	c := realCluster(t)
	t.Parallel()
	const pause = `image: "registry.k8s.io/pause:3.10"`
	for _, kase := range []struct {
		name, manifest string
		patience, most time.Duration
		ready          func(namespace, name string) Condition
		// reasons must be in the cause, log in the end of the log.
		reasons []string
		log     string
	}{
		{
			"image", deployment(`image: "registry.invalid/x:1"`, ""), 5 * time.Minute, 90 * time.Second,
			DeploymentAvailable,
			[]string{"ImagePull", "registry.invalid/x:1"},
			"",
		},
		{
			// A container without a probe is ready as soon as it runs, until it crashes.
			"crash", strings.Replace(deployment(crashing, ""), "spec:\n", "spec:\n  minReadySeconds: 30\n", 1), 5 * time.Minute, 3 * time.Minute,
			DeploymentAvailable,
			[]string{"CrashLoopBackOff", "main crashed", "exit code"},
			"no-such-flag",
		},
		{
			"unschedulable", deployment(pause+`, resources: {requests: {cpu: "1000"}}`, ""), 8 * time.Second, time.Minute,
			DeploymentAvailable,
			[]string{"Unschedulable", "Insufficient cpu", "not ready after 8s"},
			"",
		},
		{
			"unbound", deployment(pause+``, "volumes: [{name: v, persistentVolumeClaim: {claimName: disk}}]") + `
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: run-fail}
spec: {accessModes: [ReadWriteOnce], storageClassName: nobody-has-it, resources: {requests: {storage: 1Gi}}}
`, 10 * time.Second, time.Minute,
			DeploymentAvailable,
			[]string{"PersistentVolumeClaim run-fail/disk: Unbound", "nobody-has-it"},
			"",
		},
		{
			"not ready", deployment(pause+`, readinessProbe: {periodSeconds: 1, httpGet: {path: /x, port: 1234}}`, ""), 12 * time.Second, time.Minute,
			DeploymentAvailable,
			[]string{"NotReady", "Readiness probe failed"},
			"",
		},
		{
			"config", deployment(pause+`, envFrom: [{secretRef: {name: nowhere}}]`, ""), 12 * time.Second, time.Minute,
			DeploymentAvailable,
			[]string{"CreateContainerConfigError", `secret "nowhere" not found`},
			"",
		},
		{
			"invalid", strings.ReplaceAll(deployment(pause, ""), "matchLabels: {app: web}", "matchLabels: {app: other}"), time.Minute, 20 * time.Second,
			DeploymentAvailable,
			[]string{"selector", "does not match template"},
			"",
		},
		{
			"admission of pods", deployment(pause+`, securityContext: {privileged: true}`, ""), time.Minute, 30 * time.Second,
			DeploymentAvailable,
			[]string{"ReplicaSet run-fail/web-", "violates PodSecurity"},
			"",
		},
		{
			"job", strings.NewReplacer("kind: Deployment", "kind: Job", "apps/v1", "batch/v1", "selector: {matchLabels: {app: web}}", "backoffLimit: 0").
				Replace(deployment(crashing, "restartPolicy: Never")), time.Minute, 40 * time.Second,
			JobComplete,
			[]string{"BackoffLimitExceeded"},
			"no-such-flag",
		},
	} {
		t.Run(kase.name, func(t *testing.T) {
			t.Parallel()
			// Side by side: most of each case is waiting.
			namespace := "run-fail-" + strings.ReplaceAll(kase.name, " ", "-")
			level := "privileged"
			if kase.name == "admission of pods" {
				level = "baseline"
			}
			objects := decoded(t, strings.ReplaceAll(
				"apiVersion: v1\nkind: Namespace\nmetadata: {name: run-fail, labels: {pod-security.kubernetes.io/enforce: "+level+"}}\n---\n"+kase.manifest,
				"run-fail", namespace))
			var progress bytes.Buffer
			r := &Runner{Cluster: c, home: namespace + "-state", Progress: &progress, Diagnosis: t.TempDir(), Plan: Plan{Name: "failing", Steps: []Step{
				{Name: "space", Objects: objects[:1], Patience: time.Minute},
				{Name: "broken", Objects: objects[1:], Patience: kase.patience, Ready: []Condition{kase.ready(namespace, "web")}},
			}}}
			t.Cleanup(func() {
				if err := r.Down(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
				nothingLeftAfter(t, c, namespace, r.home)
			})
			start := time.Now()
			err := r.Up(t.Context())
			var blamed *cluster.StartError
			if !errors.As(err, &blamed) || blamed.Component != "broken" {
				t.Fatalf("up: %v", err)
			}
			t.Logf("after %s: %v", time.Since(start).Round(time.Second), err)
			if took := time.Since(start); took > kase.most {
				t.Errorf("it took %s to say so, want at most %s", took, kase.most)
			}
			for _, reason := range kase.reasons {
				reason = strings.ReplaceAll(reason, "run-fail", namespace)
				if !strings.Contains(blamed.Cause.Error(), reason) {
					t.Errorf("%q is not in the cause: %v", reason, blamed.Cause)
				}
			}
			if kase.log != "" && !strings.Contains(blamed.Log, kase.log) {
				t.Errorf("%q is not in the log: %q", kase.log, blamed.Log)
			}
			if _, err := os.Stat(filepath.Join(r.Diagnosis, "broken", namespace, "events.txt")); err != nil {
				t.Errorf("no diagnosis: %v; %s", err, progress.String())
			}
			if kase.log != "" {
				kept := everything(t, r.Diagnosis)
				if !strings.Contains(kept, kase.log) || !strings.Contains(kept, "kind: Pod") || strings.Contains(kept, "never-show-this") {
					t.Errorf("the diagnosis lacks a log or shows a key:\n%s", kept)
				}
			}
		})
	}
}

// crashing writes a line and ends with an error. The image is one that holds
// Kubernetes' own programs.
const crashing = `image: "registry.k8s.io/kube-scheduler:v1.34.4", command: [kube-scheduler, --no-such-flag], env: [{name: API_KEY, value: never-show-this}]`

// everything is what all files of a folder hold.
func everything(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func nothingLeftAfter(t *testing.T, c *kube.Cluster, namespaces ...string) {
	t.Helper()
	for _, name := range namespaces {
		if gone, err := c.Gone(context.WithoutCancel(t.Context()), made{APIVersion: "v1", Kind: "Namespace", Name: name}.object()); err != nil || !gone {
			t.Errorf("namespace %s is there after down (%v)", name, err)
		}
	}
}
