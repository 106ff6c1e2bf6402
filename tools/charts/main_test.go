package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// The tiny chart has a CRD, a template, a list, a hook and a test.
var tiny = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: tiny\nversion: 1.2.3\n",
	"values.yaml": "answer: \"41\"\n",
	"crds/locks.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: locks.charts.floodgate.dev}
spec:
  group: charts.floodgate.dev
  scope: Namespaced
  names: {plural: locks, singular: lock, kind: Lock}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`,
	"templates/config.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {answer: {{ .Values.answer | quote }}, monitored: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" | quote }}}
`,
	"templates/list.yaml": `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: first}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: second}}
`,
	"templates/hook.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {helm.sh/hook: pre-install}}
`,
	"templates/test.yaml": `apiVersion: v1
kind: Pod
metadata: {name: test, annotations: {helm.sh/hook: test}}
spec: {containers: [{name: test, image: x}]}
`,
}

// folder writes a chart's files to a folder of its name.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// archive packs a chart as Helm does.
func archive(t *testing.T, dir string) string {
	t.Helper()
	loaded, err := loader.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	path, err := chartutil.Save(loaded, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// index lists one archive.
func index(t *testing.T, path, address string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`apiVersion: v1
entries:
  tiny:
  - {apiVersion: v2, name: tiny, version: 1.2.3, urls: [%q], digest: %x}
`, address, sha256.Sum256(text))
}

func ask(t *testing.T, request Request) (Answer, error) {
	t.Helper()
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	failed := serve(t.Context(), bytes.NewReader(text), &out)
	var answer Answer
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Fatalf("the answer is no JSON: %v\n%s", err, out.String())
	}
	if (failed == nil) != (answer.Error == "") {
		t.Errorf("the error %v is not in the answer %q", failed, answer.Error)
	}
	return answer, failed
}

func TestRender(t *testing.T) {
	chart := Chart{Release: "rel", Namespace: "ns", Repository: folder(t, tiny), Name: "tiny", Version: "1.2.3", Values: map[string]any{"answer": "42"}}
	answer, err := ask(t, Request{Do: "render", Chart: chart})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, object := range answer.Objects {
		names = append(names, object.GetKind()+" "+object.GetName())
		if object.GetName() == "rel" {
			data, _ := object.Object["data"].(map[string]any)
			if data["answer"] != "42" || data["monitored"] != "false" {
				t.Errorf("values were not used, or kinds are there that Kubernetes has not: %v", data)
			}
		}
	}
	slices.Sort(names)
	want := []string{"ConfigMap first", "ConfigMap hook", "ConfigMap rel", "ConfigMap second", "CustomResourceDefinition locks.charts.floodgate.dev"}
	if !slices.Equal(names, want) {
		t.Errorf("rendered %v, want %v", names, want)
	}
}

// Names of images are replaced wherever they stand, and nowhere else.
func TestImages(t *testing.T) {
	const image, instead = "quay.io/a/b:v1", "mirror:5000/a/b:v1"
	dir := folder(t, map[string]string{"Chart.yaml": tiny["Chart.yaml"], "templates/all.yaml": `apiVersion: v1
kind: Pod
metadata: {name: pod, annotations: {about: "made of quay.io/a/b:v1 by us", helm.sh/hook: pre-install}}
spec: {containers: [{name: main, image: "quay.io/a/b:v1", args: [--other=quay.io/a/b:v1, quay.io/a/b:v10], env: [{name: RELATED_IMAGE, value: "quay.io/a/b:v1"}]}]}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: thing}
spec: {image: "quay.io/a/b:v1"}
`})
	chart := Chart{Release: "rel", Namespace: "ns", Repository: dir, Name: "tiny", Version: "1.2.3"}
	answer, err := ask(t, Request{Do: "render", Chart: chart, Images: images{image: instead}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(answer.Objects)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), instead); got != 4 || len(answer.Objects) != 2 {
		t.Errorf("%d of 4 names were replaced: %s", got, text)
	}
	for _, want := range []string{"made of quay.io/a/b:v1 by us", "quay.io/a/b:v10", "--other=" + instead} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is gone: %s", want, text)
		}
	}
}

// A caller that is killed ends the request.
func TestHeld(t *testing.T) {
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hung.Close)
	t.Cleanup(hung.CloseClientConnections)
	text, err := json.Marshal(Request{Do: "pull", Held: true, To: t.TempDir(), Chart: Chart{Repository: hung.URL, Name: "tiny", Version: "1.2.3"}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = serve(t.Context(), bytes.NewReader(text), &out)
	if err == nil || !strings.Contains(err.Error(), "whoever asked is gone") {
		t.Errorf("got %v", err)
	}
}

// registryOf serves one chart as an OCI registry does.
func registryOf(t *testing.T, layer []byte) string {
	t.Helper()
	config := []byte(`{"name":"tiny","version":"1.2.3","apiVersion":"v2"}`)
	digest := func(text []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(text)) }
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
		"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":%q,"size":%d},
		"layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":%q,"size":%d}]}`,
		digest(config), len(config), digest(layer), len(layer))
	parts := map[string][]byte{
		"/v2/charts/tiny/manifests/1.2.3":               manifest,
		"/v2/charts/tiny/manifests/" + digest(manifest): manifest,
		"/v2/charts/tiny/blobs/" + digest(config):       config,
		"/v2/charts/tiny/blobs/" + digest(layer):        layer,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		part, ok := parts[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		}
		w.Header().Set("Docker-Content-Digest", digest(part))
		w.Header().Set("Content-Length", fmt.Sprint(len(part)))
		_, _ = w.Write(part)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// Every way to name a chart gives the same archive, or the same chart where a
// folder is packed.
func TestSources(t *testing.T) {
	dir := folder(t, tiny)
	packed := archive(t, dir)
	text, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("sha256:%x", sha256.Sum256(text))
	listed := folder(t, map[string]string{"index.yaml": index(t, packed, "charts/tiny.tgz"), "charts/tiny.tgz": string(text)})
	server := httptest.NewServer(http.FileServer(http.Dir(listed)))
	t.Cleanup(server.Close)
	for name, repository := range map[string]string{
		"archive": packed, "folder with the archive": filepath.Dir(packed), "folder with index": listed,
		"http": server.URL, "http with slash": server.URL + "/", "oci": "oci://" + registryOf(t, text) + "/charts",
		"chart folder": dir, "folder of charts": filepath.Dir(dir),
	} {
		t.Run(name, func(t *testing.T) {
			to := t.TempDir()
			answer, err := ask(t, Request{Do: "pull", Chart: Chart{Repository: repository, Name: "tiny", Version: "1.2.3"}, To: to})
			if err != nil {
				t.Fatal(err)
			}
			if answer.Path != filepath.Join(to, "tiny-1.2.3.tgz") {
				t.Errorf("pulled to %s", answer.Path)
			}
			if loaded, err := loader.Load(answer.Path); err != nil || loaded.Metadata.Version != "1.2.3" {
				t.Errorf("what was pulled: %v", err)
			}
			if !strings.Contains(name, "chart folder") && name != "folder of charts" && answer.Digest != want {
				t.Errorf("digest %s, want %s", answer.Digest, want)
			}
		})
	}
}

func TestSourcesRefused(t *testing.T) {
	dir := folder(t, tiny)
	packed := archive(t, dir)
	text, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	altered := slices.Clone(text)
	altered[len(altered)-1] ^= 1
	server := httptest.NewServer(http.FileServer(http.Dir(folder(t, map[string]string{"index.yaml": index(t, packed, "tiny.tgz"), "tiny.tgz": string(altered)}))))
	t.Cleanup(server.Close)
	for name, kase := range map[string]struct {
		chart Chart
		want  string
	}{
		"altered":            {Chart{Repository: server.URL, Name: "tiny", Version: "1.2.3"}, "is not what the repository's index says"},
		"other version":      {Chart{Repository: server.URL, Name: "tiny", Version: "9.9.9"}, "has no version 9.9.9 of chart tiny"},
		"other chart":        {Chart{Repository: server.URL, Name: "huge", Version: "1.2.3"}, "has no chart huge"},
		"archive of another": {Chart{Repository: packed, Name: "huge", Version: "1.2.3"}, "is chart tiny, want huge"},
		"another's version":  {Chart{Repository: packed, Name: "tiny", Version: "2.0.0"}, "has version 1.2.3, want 2.0.0"},
		"outside":            {Chart{Repository: folder(t, map[string]string{"index.yaml": index(t, packed, "../../tiny.tgz")}), Name: "tiny", Version: "1.2.3"}, "outside of the folder"},
		"nothing there":      {Chart{Repository: t.TempDir(), Name: "tiny", Version: "1.2.3"}, "neither index.yaml nor"},
		"no version":         {Chart{Repository: server.URL, Name: "tiny"}, "version is not given"},
		"scheme":             {Chart{Repository: "ftp://x", Name: "tiny", Version: "1.2.3"}, "only https://"},
		"dependency":         {Chart{Repository: folder(t, map[string]string{"Chart.yaml": tiny["Chart.yaml"] + "dependencies: [{name: other, version: 1.0.0, repository: \"https://x.invalid\"}]\n"}), Name: "tiny", Version: "1.2.3"}, "missing in charts/ directory: other"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t, Request{Do: "pull", Chart: kase.chart, To: t.TempDir()})
			if err == nil || !strings.Contains(err.Error(), kase.want) {
				t.Errorf("got %v, want %q", err, kase.want)
			}
		})
	}
}

// Messages of Helm are kept, what is in a kubeconfig or an URL is not.
func TestErrors(t *testing.T) {
	const token = "never-show-this"
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("users: ["+token), 0o600); err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(t.TempDir(), "away")
	if err := os.WriteFile(away, []byte(`apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "http://127.0.0.1:1/`+token+`"}}]
users: [{name: a, user: {token: `+token+`}}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	failing := map[string]string{"Chart.yaml": tiny["Chart.yaml"], "templates/x.yaml": `{{ fail "the operator's reason" }}`}
	good := Chart{Release: "rel", Namespace: "ns", Repository: folder(t, tiny), Name: "tiny", Version: "1.2.3"}
	bad := good
	bad.Repository = folder(t, failing)
	private := good
	private.Repository = "http://me:" + token + "@127.0.0.1:1/charts"
	for name, kase := range map[string]struct {
		request Request
		want    string
	}{
		"template":           {Request{Do: "render", Chart: bad}, "the operator's reason"},
		"broken kubeconfig":  {Request{Do: "install", Kubeconfig: broken, Chart: good}, "cannot be read as one"},
		"missing kubeconfig": {Request{Do: "uninstall", Kubeconfig: broken + "-not", Chart: good}, "is not there"},
		"no kubeconfig":      {Request{Do: "install", Chart: good}, "no kubeconfig"},
		"cluster away":       {Request{Do: "uninstall", Kubeconfig: away, Chart: good}, "connection refused"},
		"password":           {Request{Do: "render", Chart: private}, "connection refused"},
		"operation":          {Request{Do: "dance"}, "nothing that this program does"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t, kase.request)
			if err == nil || !strings.Contains(err.Error(), kase.want) {
				t.Errorf("got %v, want %q", err, kase.want)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("the message shows a key: %v", err)
			}
		})
	}
}
