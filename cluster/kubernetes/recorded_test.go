package kubernetes

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// recorded is an API server that shows objects and takes nothing.
type recorded struct{ objects []*unstructured.Unstructured }

func plural(kind string) string {
	lower := strings.ToLower(kind)
	if before, ok := strings.CutSuffix(lower, "y"); ok && !strings.HasSuffix(lower, "ay") {
		return before + "ies"
	}
	if strings.HasSuffix(lower, "s") {
		return lower + "es"
	}
	return lower + "s"
}

// versions are the resources by group and version, core's being "v1".
func (r recorded) versions() map[string][]metav1.APIResource {
	found := map[string][]metav1.APIResource{"v1": {{Name: "pods", Kind: "Pod", Namespaced: true}, {Name: "services", Kind: "Service", Namespaced: true}}}
	seen := map[string]bool{}
	for _, o := range r.objects {
		if key := o.GetAPIVersion() + o.GetKind(); !seen[key] {
			seen[key] = true
			found[o.GetAPIVersion()] = append(found[o.GetAPIVersion()], metav1.APIResource{Name: plural(o.GetKind()), Kind: o.GetKind(), Namespaced: o.GetNamespace() != ""})
		}
	}
	return found
}

func (r recorded) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	answer := func(value any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	versions := r.versions()
	switch request.URL.Path {
	case "/api":
		answer(metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
		return
	case "/apis":
		list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
		for name := range versions {
			if group, version, ok := strings.Cut(name, "/"); ok {
				at := metav1.GroupVersionForDiscovery{GroupVersion: name, Version: version}
				list.Groups = append(list.Groups, metav1.APIGroup{Name: group, Versions: []metav1.GroupVersionForDiscovery{at}, PreferredVersion: at})
			}
		}
		answer(list)
		return
	}
	version, rest := "v1", parts[1:]
	if parts[0] == "apis" && len(parts) > 2 {
		version, rest = parts[1]+"/"+parts[2], parts[3:]
	} else {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		if resources, ok := versions[version]; ok {
			answer(metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: version, APIResources: resources})
			return
		}
		http.NotFound(w, request)
		return
	}
	namespace := ""
	if rest[0] == "namespaces" && len(rest) > 2 {
		namespace, rest = rest[1], rest[2:]
	}
	list := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": version, "kind": "List", "metadata": map[string]any{}}}
	for _, resource := range versions[version] {
		if resource.Name == rest[0] {
			list.SetKind(resource.Kind + "List")
		}
	}
	for _, o := range r.objects {
		if o.GetAPIVersion() != version || plural(o.GetKind()) != rest[0] || namespace != "" && o.GetNamespace() != namespace {
			continue
		}
		if len(rest) > 1 {
			if o.GetName() == rest[1] {
				answer(o.Object)
				return
			}
			continue
		}
		if selector := request.URL.Query().Get("labelSelector"); selector == "" || labelsOf(o.GetLabels()) != "" && strings.Contains(","+labelsOf(o.GetLabels())+",", ","+selector+",") {
			list.Items = append(list.Items, *o)
		}
	}
	if len(rest) > 1 {
		http.NotFound(w, request)
		return
	}
	answer(list)
}

func recordedCluster(t *testing.T, change func([]*unstructured.Unstructured) []*unstructured.Unstructured) *kube.Cluster {
	t.Helper()
	files, err := filepath.Glob("testdata/objects/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var r recorded
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := kube.Decode(text)
		if err != nil {
			t.Fatal(file, err)
		}
		r.objects = append(r.objects, objects...)
	}
	if change != nil {
		r.objects = change(r.objects)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	c, err := kube.New(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestARealInstallationIsDiscovered(t *testing.T) {
	c := recordedCluster(t, nil)
	site, err := Discover(t.Context(), c, cluster.KubernetesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if site.Namespace != "kuadrant-system" || site.Gateway != "llm-d/infra-sim-inference-gateway" {
		t.Errorf("got %+v", site)
	}
	dir := filepath.Join(t.TempDir(), "policies")
	withoutKeys, err := WritePolicies(t.Context(), c, site, dir)
	if err != nil || withoutKeys != nil {
		t.Fatal(err, withoutKeys)
	}
	set, err := policy.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int64{}
	for _, identity := range set.Identities() {
		names[identity.Name] = identity.Quota()
	}
	if len(names) == 0 || names["freeuser1"] == 0 || names["freeuser1"] >= names["enterpriseuser1"] {
		t.Errorf("identities and their quotas: %v", names)
	}
	if got := namespacesOf(set); len(got) != 1 || got[0] != "llm-d/ms-sim-llm-d-modelservice" {
		t.Errorf("the limiter's namespaces: %v", got)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", entry.Name(), info.Mode(), err)
		}
	}
	if _, err := set.Beside("twin"); err != nil {
		t.Errorf("what was found cannot be put beside itself: %v", err)
	}
}

func TestSeveralGatewaysMustBeChosenFrom(t *testing.T) {
	twice := func(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
		for _, o := range objects {
			if o.GetKind() == "Gateway" || o.GetKind() == "AuthPolicy" {
				other := o.DeepCopy()
				other.SetNamespace("other")
				objects = append(objects, other)
			}
		}
		return objects
	}
	c := recordedCluster(t, twice)
	_, err := Discover(t.Context(), c, cluster.KubernetesOptions{})
	if err == nil || !strings.Contains(err.Error(), "--gateway-name") || !strings.Contains(err.Error(), "other/infra-sim-inference-gateway") {
		t.Errorf("got %v", err)
	}
	if site, err := Discover(t.Context(), c, cluster.KubernetesOptions{GatewayName: "other/infra-sim-inference-gateway"}); err != nil || site.Gateway != "other/infra-sim-inference-gateway" {
		t.Errorf("the chosen one: %+v, %v", site, err)
	}
	marked := func(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
		objects = twice(objects)
		for _, o := range objects {
			if o.GetNamespace() == "other" && o.GetKind() == "Gateway" {
				o.SetLabels(map[string]string{RunLabel: "earlier"})
			}
		}
		return objects
	}
	if site, err := Discover(t.Context(), recordedCluster(t, marked), cluster.KubernetesOptions{}); err != nil || site.Gateway != "llm-d/infra-sim-inference-gateway" {
		t.Errorf("beside what a run of ours left: %+v, %v", site, err)
	}
}
