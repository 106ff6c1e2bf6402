package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	kindcluster "sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"

	"github.com/floodgate-dev/floodgate/cluster"
	chartsprogram "github.com/floodgate-dev/floodgate/cluster/charts"
	"github.com/floodgate-dev/floodgate/cluster/image"
	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// space is the namespace of all that the tests install, gate the kind that the
// first chart defines and the third uses.
const (
	space = "chart-bundle"
	gate  = "gates.chart.floodgate.dev"
	pause = "registry.k8s.io/pause:3.10"
)

// small are three charts of ours, each of which needs the one before.
var small = map[string]map[string]string{
	"defs": {
		"Chart.yaml": "apiVersion: v2\nname: defs\nversion: 1.0.0\n",
		"crds/gates.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ` + gate + `}
spec:
  group: chart.floodgate.dev
  scope: Namespaced
  names: {plural: gates, singular: gate, kind: Gate}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}
`,
		"templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: defs}\n",
	},
	"web": {
		"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 2.0.0\n",
		"values.yaml": "image: " + pause + "\nhook: false\n",
		"templates/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: {{ .Values.image }}, imagePullPolicy: IfNotPresent}]
`,
		"templates/hook.yaml": `{{ if .Values.hook }}
apiVersion: batch/v1
kind: Job
metadata: {name: never-done, annotations: {helm.sh/hook: pre-install}}
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 0
      restartPolicy: Never
      containers: [{name: main, image: ` + pause + `}]
{{ end }}
`,
	},
	"things": {
		"Chart.yaml":           "apiVersion: v2\nname: things\nversion: 3.0.0\n",
		"templates/thing.yaml": "apiVersion: chart.floodgate.dev/v1\nkind: Gate\nmetadata: {name: main}\nspec: {open: {{ .Values.open }}}\n",
		"values.yaml":          "open: false\n",
	},
}

var versions = map[string]string{"defs": "1.0.0", "web": "2.0.0", "things": "3.0.0"}

// packChart makes a chart's archive.
func packChart(t *testing.T, name string) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	w := tar.NewWriter(z)
	for _, path := range slices.Sorted(maps.Keys(small[name])) {
		text := small[name][path]
		err := errors.Join(
			w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name + "/" + path, Mode: 0o644, Size: int64(len(text))}),
			func() error { _, err := io.WriteString(w, text); return err }(),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// repository serves the small charts as a chart repository does.
func repository(t *testing.T) *httptest.Server {
	t.Helper()
	files := map[string][]byte{}
	index := "apiVersion: v1\nentries:\n"
	for name := range small {
		packed := packChart(t, name)
		files["/"+name+".tgz"] = packed
		index += fmt.Sprintf("  %s:\n  - {apiVersion: v2, name: %s, version: %s, urls: [%s.tgz], digest: %x}\n", name, name, versions[name], name, sha256.Sum256(packed))
	}
	files["/index.yaml"] = []byte(index)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(server.Close)
	return server
}

// stage is a real cluster and the charts' program.
type stage struct {
	cluster    *kube.Cluster
	kubeconfig string
	charts     *chartsprogram.Program
}

func realStage(t *testing.T) *stage {
	t.Helper()
	kubeconfig := os.Getenv("FLOODGATE_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("SKIPPED: needs a Kubernetes cluster: set FLOODGATE_TEST_KUBECONFIG")
	}
	path, err := chartsprogram.Find(filepath.Join("..", "..", "bin", chartsprogram.Name))
	if err != nil {
		t.Fatal(err)
	}
	c, err := kube.Connect(kubeconfig, "")
	if err != nil {
		t.Fatal(err)
	}
	return &stage{c, kubeconfig, &chartsprogram.Program{Path: path, Kubeconfig: kubeconfig}}
}

// plan installs the three charts in order. Where they come from is given.
func plan(source func(name string) string, webValues map[string]any) install.Plan {
	step := func(name string, values map[string]any, ready ...install.Condition) install.Step {
		return install.Step{Name: name, Patience: 2 * time.Minute, Ready: ready, Charts: []install.Chart{{
			Release: name, Namespace: space, Repository: source(name), Name: name, Version: versions[name], Values: values,
		}}}
	}
	thing := &unstructured.Unstructured{}
	thing.SetAPIVersion("chart.floodgate.dev/v1")
	thing.SetKind("Gate")
	thing.SetNamespace(space)
	thing.SetName("main")
	return install.Plan{Name: "small-charts", Versions: versions, Steps: []install.Step{
		step("defs", nil, install.CRDEstablished(gate)),
		step("web", webValues, install.DeploymentAvailable(space, "web")),
		step("things", map[string]any{"open": true}, install.Exists(thing)),
	}}
}

func (s *stage) runner(t *testing.T, p install.Plan) *install.Runner {
	t.Helper()
	r := &install.Runner{Cluster: s.cluster, Plan: p, Charts: s.charts, Progress: t.Output(), Diagnosis: t.TempDir()}
	t.Cleanup(func() {
		if err := r.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return r
}

// nothingLeft looks that Down took everything back.
func (s *stage) nothingLeft(t *testing.T, r *install.Runner) {
	t.Helper()
	if err := r.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, kind := range [][3]string{{"v1", "Namespace", space}, {"v1", "Namespace", install.Namespace}, {"apiextensions.k8s.io/v1", "CustomResourceDefinition", gate}} {
		object := &unstructured.Unstructured{}
		object.SetAPIVersion(kind[0])
		object.SetKind(kind[1])
		object.SetName(kind[2])
		if gone, err := s.cluster.Gone(t.Context(), object); err != nil || !gone {
			t.Errorf("%s %s is there after down (%v)", kind[1], kind[2], err)
		}
	}
}

// revisions are the states of a release's revisions, as Helm labels them.
func (s *stage) revisions(t *testing.T, release string) []string {
	t.Helper()
	list, err := s.cluster.Client.CoreV1().Secrets(space).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm,name=" + release})
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, secret := range list.Items {
		states = append(states, secret.Labels["status"])
	}
	return states
}

func TestRealRepository(t *testing.T) {
	s := realStage(t)
	server := repository(t)
	r := s.runner(t, plan(func(string) string { return server.URL }, nil))
	for range 2 {
		if err := r.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for name := range versions {
		if got := s.revisions(t, name); !slices.Equal(got, []string{"deployed"}) {
			t.Errorf("revisions of %s after two ups: %v", name, got)
		}
	}
	s.nothingLeft(t, r)
}

// The third chart needs the kind that the first defines.
func TestRealWrongOrder(t *testing.T) {
	s := realStage(t)
	server := repository(t)
	p := plan(func(string) string { return server.URL }, nil)
	p.Steps = p.Steps[2:]
	r := s.runner(t, p)
	err := r.Up(t.Context())
	var blamed *cluster.StartError
	if !errors.As(err, &blamed) || blamed.Component != "things" || !strings.Contains(err.Error(), `no matches for kind "Gate"`) {
		t.Errorf("up: %v", err)
	}
	s.nothingLeft(t, r)
}

func TestRealImageThatCannotBePulled(t *testing.T) {
	s := realStage(t)
	server := repository(t)
	r := s.runner(t, plan(func(string) string { return server.URL }, map[string]any{"image": "registry.invalid/x:1"}))
	start := time.Now()
	err := r.Up(t.Context())
	var blamed *cluster.StartError
	if !errors.As(err, &blamed) || blamed.Component != "web" {
		t.Fatalf("up: %v", err)
	}
	t.Logf("after %s: %v", time.Since(start).Round(time.Second), err)
	for _, reason := range []string{"ImagePull", "registry.invalid/x:1"} {
		if !strings.Contains(blamed.Cause.Error(), reason) {
			t.Errorf("%q is not in the cause: %v", reason, blamed.Cause)
		}
	}
	if took := time.Since(start); took > 90*time.Second {
		t.Errorf("it took %s to say so", took)
	}
	s.nothingLeft(t, r)
}

// An image that only a mirror has is said by its name there.
func TestRealMirror(t *testing.T) {
	s := realStage(t)
	server := repository(t)
	p := plan(func(string) string { return server.URL }, map[string]any{"image": "quay.invalid/team/x:1"})
	r := s.runner(t, p)
	r.Charts = &chartsprogram.Program{Path: s.charts.Path, Kubeconfig: s.kubeconfig, Images: map[string]string{"quay.invalid/team/x:1": pause}}
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.nothingLeft(t, r)
}

// Killed and told to end while Helm waits for a hook: the next up goes on.
func TestRealInstallationCutOff(t *testing.T) {
	s := realStage(t)
	server := repository(t)
	source := func(string) string { return server.URL }
	for signal, left := range map[string]string{"KILL": "pending-install", "TERM": "failed"} {
		t.Run(signal, func(t *testing.T) {
			hanging := s.runner(t, plan(source, map[string]any{"hook": true}))
			killed := filepath.Join(t.TempDir(), "killed")
			script := fmt.Sprintf("#!/bin/sh\nexec timeout -s %s 10 '%s'\n", signal, absolute(t, s.charts.Path))
			if err := os.WriteFile(killed, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			hanging.Charts = &chartsprogram.Program{Path: killed, Kubeconfig: s.kubeconfig}
			err := hanging.Up(t.Context())
			if err == nil {
				t.Fatal("up ended in order")
			}
			t.Logf("cut off: %v", err)
			if got := s.revisions(t, "web"); !slices.Equal(got, []string{left}) {
				t.Errorf("revisions after SIG%s: %v, want %s", signal, got, left)
			}
			r := s.runner(t, plan(source, nil))
			if err := r.Up(t.Context()); err != nil {
				t.Fatalf("the next up: %v", err)
			}
			if got := s.revisions(t, "web"); !slices.Contains(got, "deployed") {
				t.Errorf("revisions after the next up: %v", got)
			}
			s.nothingLeft(t, r)
		})
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// sleeper pushes an image of a program that does nothing to a registry and
// returns its name there.
func sleeper(t *testing.T, host string) string {
	t.Helper()
	dir := t.TempDir()
	source, program, saved := filepath.Join(dir, "main.go"), filepath.Join(dir, "sleeper"), filepath.Join(dir, "saved.tar")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"time\"\n\nfunc main() { time.Sleep(time.Hour) }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	made, err := image.Build(image.Program{Path: program, Repository: host + "/sleeper"})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.WriteArchive(saved); err != nil {
		t.Fatal(err)
	}
	pulled, err := tarball.ImageFromPath(saved, nil)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := name.ParseReference(made.Name, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(reference, pulled); err != nil {
		t.Fatal(err)
	}
	return made.Name
}

// kindNodes are the nodes of the cluster if kind made it.
func (s *stage) kindNodes(t *testing.T) []nodes.Node {
	t.Helper()
	config, err := clientcmd.LoadFromFile(s.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	named, ok := strings.CutPrefix(config.CurrentContext, "kind-")
	if !ok {
		t.Skip("SKIPPED: needs a cluster of kind to load images into its nodes")
	}
	found, err := kindcluster.NewProvider(kindcluster.ProviderWithDocker()).ListInternalNodes(named)
	if err != nil || len(found) == 0 {
		t.Fatalf("nodes of %s: %v, %v", named, found, err)
	}
	return found
}

// From a repository and a registry into an archive, from the archive into a
// cluster that sees neither.
func TestRealBundle(t *testing.T) {
	s := realStage(t)
	machines := s.kindNodes(t)
	server := repository(t)
	hub := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(hub.Close)
	pulled := sleeper(t, strings.TrimPrefix(hub.URL, "http://"))
	const inside = "bundle.floodgate.dev/sleeper:v1"
	pieces := []Piece{{Kind: Image, Name: inside, Source: pulled}}
	for _, name := range []string{"defs", "web", "things"} {
		pieces = append(pieces, Piece{Kind: Chart, Name: name, Source: server.URL, Version: versions[name], Digest: digest(string(packChart(t, name)))})
	}
	file := filepath.Join(t.TempDir(), "small.bundle")
	// It is made without a cluster.
	if err := Create(t.Context(), pieces, file, Options{Charts: &chartsprogram.Program{Path: s.charts.Path}, Progress: t.Output()}); err != nil {
		t.Fatal(err)
	}
	server.Close()
	hub.Close()

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	altered := filepath.Join(t.TempDir(), "altered.bundle")
	middle := slices.Clone(text)
	middle[len(middle)/2] ^= 1
	if err := os.WriteFile(altered, middle, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), altered, t.TempDir()); err == nil || !strings.Contains(err.Error(), "image "+inside+": altered") {
		t.Errorf("an altered byte: %v", err)
	} else {
		t.Log(err)
	}

	b, err := Open(t.Context(), file, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, machine := range machines {
		t.Cleanup(func() {
			if err := machine.Command("ctr", "--namespace=k8s.io", "images", "rm", inside).Run(); err != nil {
				t.Errorf("remove %s from %s: %v", inside, machine, err)
			}
		})
		for _, path := range b.ImageArchives() {
			archive, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			err = nodeutils.LoadImageArchive(machine, archive)
			archive.Close()
			if err != nil {
				t.Fatalf("load %s into %s: %v", path, machine, err)
			}
		}
	}
	r := s.runner(t, plan(func(name string) string {
		path, err := b.Chart(name)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}, map[string]any{"image": inside}))
	if err := r.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.nothingLeft(t, r)
}
