package install

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
)

// apiServer is an API server in memory, as far as an installation needs one:
// discovery, server-side apply and merge patches, UIDs, generations, optimistic
// locking, finalizers, namespaces that take their content with them.
type apiServer struct {
	mu      sync.Mutex
	next    int
	kinds   []servedKind
	objects map[string]map[string]any
	// refuse answers a write with a status, nil for none.
	refuse func(method, path string) (code int, reason, message string)
	url    string
}

type servedKind struct {
	group, version, resource, kind string
	namespaced                     bool
}

func newAPIServer(t *testing.T) *apiServer {
	t.Helper()
	s := &apiServer{objects: map[string]map[string]any{}, kinds: []servedKind{
		{"", "v1", "namespaces", "Namespace", false},
		{"", "v1", "configmaps", "ConfigMap", true},
		{"", "v1", "secrets", "Secret", true},
		{"", "v1", "services", "Service", true},
		{"", "v1", "pods", "Pod", true},
		{"", "v1", "events", "Event", true},
		{"apps", "v1", "deployments", "Deployment", true},
		{"apps", "v1", "replicasets", "ReplicaSet", true},
		{"apps", "v1", "statefulsets", "StatefulSet", true},
		{"apps", "v1", "daemonsets", "DaemonSet", true},
		{"batch", "v1", "jobs", "Job", true},
		{"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false},
	}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *apiServer) config() *rest.Config {
	return &rest.Config{Host: s.url, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
}

// keys are the names of all objects: kind namespace/name.
func (s *apiServer) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for key := range s.objects {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (s *apiServer) object(key string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key]
}

// put makes or changes an object as somebody else does.
func (s *apiServer) put(t *testing.T, path string, object map[string]any) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ns, name := s.find(path)
	if name == "" {
		t.Fatalf("no object at %s", path)
	}
	s.store(k, ns, name, object, "kubectl", "Update")
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.Trim(r.URL.Path, "/")
	if answer := s.discover(path); answer != nil {
		reply(w, http.StatusOK, answer)
		return
	}
	k, ns, name := s.find(path)
	if k.kind == "" {
		failure(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
		return
	}
	if s.refuse != nil && r.Method != http.MethodGet {
		if code, reason, message := s.refuse(r.Method, path); code != 0 {
			failure(w, code, reason, message)
			return
		}
	}
	key := keyOf(k, ns, name)
	found := s.objects[key]
	var sent map[string]any
	if r.Method != http.MethodGet {
		_ = json.NewDecoder(r.Body).Decode(&sent)
	}
	switch {
	case r.Method == http.MethodGet && name == "":
		reply(w, http.StatusOK, s.list(k, ns, r.URL.Query().Get("labelSelector")))
	case r.Method == http.MethodPost:
		made, _ := sent["metadata"].(map[string]any)
		name, _ = made["name"].(string)
		if s.objects[keyOf(k, ns, name)] != nil {
			failure(w, http.StatusConflict, "AlreadyExists", name+" already exists")
			return
		}
		s.write(w, k, ns, name, sent, r.URL.Query().Get("fieldManager"), "Update")
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == "application/apply-patch+yaml":
		s.write(w, k, ns, name, sent, r.URL.Query().Get("fieldManager"), "Apply")
	case found == nil:
		failure(w, http.StatusNotFound, "NotFound", fmt.Sprintf("%s %q not found", k.resource, name))
	case r.Method == http.MethodGet:
		reply(w, http.StatusOK, found)
	case r.Method == http.MethodPut:
		if version(sent) != version(found) {
			failure(w, http.StatusConflict, "Conflict", "the object has been modified")
			return
		}
		s.write(w, k, ns, name, sent, "floodgate", "Update")
	case r.Method == http.MethodPatch:
		s.write(w, k, ns, name, sent, "floodgate", "Update")
	case r.Method == http.MethodDelete:
		if asked, _ := sent["preconditions"].(map[string]any); asked != nil && asked["uid"] != metaOf(found)["uid"] {
			failure(w, http.StatusConflict, "Conflict", "the UID in the precondition does not match")
			return
		}
		s.remove(key)
		reply(w, http.StatusOK, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Success"})
	}
}

func (s *apiServer) write(w http.ResponseWriter, k servedKind, ns, name string, sent map[string]any, manager, operation string) {
	if k.namespaced && s.objects["Namespace /"+ns] == nil {
		failure(w, http.StatusNotFound, "NotFound", fmt.Sprintf("namespaces %q not found", ns))
		return
	}
	if k.namespaced && metaOf(s.objects["Namespace /"+ns])["deletionTimestamp"] != nil {
		failure(w, http.StatusForbidden, "Forbidden", "the namespace is being terminated")
		return
	}
	reply(w, http.StatusOK, s.store(k, ns, name, sent, manager, operation))
}

// store merges what was sent into what is there.
func (s *apiServer) store(k servedKind, ns, name string, sent map[string]any, manager, operation string) map[string]any {
	key := keyOf(k, ns, name)
	s.next++
	found := s.objects[key]
	if found == nil {
		found = map[string]any{"metadata": map[string]any{
			"uid": fmt.Sprintf("uid-%d", s.next), "creationTimestamp": time.Now().UTC().Format(time.RFC3339), "generation": int64(0),
		}}
	} else {
		found = clone(found)
	}
	before, _ := json.Marshal(found["spec"])
	merge(found, sent)
	m := metaOf(found)
	m["name"], m["resourceVersion"] = name, fmt.Sprint(s.next)
	if k.namespaced {
		m["namespace"] = ns
	}
	found["kind"], found["apiVersion"] = k.kind, strings.TrimPrefix(k.group+"/"+k.version, "/")
	if after, _ := json.Marshal(found["spec"]); string(after) != string(before) || m["generation"] == int64(0) {
		m["generation"] = asInt(m["generation"]) + 1
	}
	entries, _ := m["managedFields"].([]any)
	entries = slices.DeleteFunc(slices.Clone(entries), func(e any) bool {
		entry, _ := e.(map[string]any)
		return entry["manager"] == manager && entry["operation"] == operation
	})
	m["managedFields"] = append(entries, map[string]any{"manager": manager, "operation": operation})
	s.control(k, found)
	s.objects[key] = found
	return found
}

// control does what controllers do.
func (s *apiServer) control(k servedKind, object map[string]any) {
	switch k.kind {
	case "Deployment":
		n := int64(1)
		object["status"] = map[string]any{
			"observedGeneration": metaOf(object)["generation"], "replicas": n, "updatedReplicas": n, "availableReplicas": n,
		}
	case "CustomResourceDefinition":
		spec, _ := object["spec"].(map[string]any)
		names, _ := spec["names"].(map[string]any)
		versions, _ := spec["versions"].([]any)
		first, _ := versions[0].(map[string]any)
		served := servedKind{text(spec["group"]), text(first["name"]), text(names["plural"]), text(names["kind"]), spec["scope"] != "Cluster"}
		if !slices.Contains(s.kinds, served) {
			s.kinds = append(s.kinds, served)
		}
		object["status"] = map[string]any{"conditions": []any{
			map[string]any{"type": "NamesAccepted", "status": "True"}, map[string]any{"type": "Established", "status": "True"},
		}}
	}
}

// remove deletes an object, or marks it where a finalizer holds it.
func (s *apiServer) remove(key string) {
	object := s.objects[key]
	if held, _ := metaOf(object)["finalizers"].([]any); len(held) > 0 {
		metaOf(object)["deletionTimestamp"] = time.Now().UTC().Format(time.RFC3339)
		return
	}
	if name, ok := strings.CutPrefix(key, "Namespace /"); ok {
		for other := range s.objects {
			if strings.Contains(other, " "+name+"/") {
				s.remove(other)
			}
		}
	}
	if object["kind"] == "CustomResourceDefinition" {
		spec, _ := object["spec"].(map[string]any)
		names, _ := spec["names"].(map[string]any)
		s.kinds = slices.DeleteFunc(s.kinds, func(k servedKind) bool { return k.kind == names["kind"] })
		for other := range s.objects {
			if strings.HasPrefix(other, text(names["kind"])+" ") {
				s.remove(other)
			}
		}
	}
	delete(s.objects, key)
}

func (s *apiServer) list(k servedKind, ns, selector string) map[string]any {
	wanted, _ := labels.Parse(selector)
	items := []any{}
	for key, object := range s.objects {
		if !strings.HasPrefix(key, k.kind+" ") || ns != "" && text(metaOf(object)["namespace"]) != ns {
			continue
		}
		set := labels.Set{}
		given, _ := metaOf(object)["labels"].(map[string]any)
		for name, value := range given {
			set[name] = text(value)
		}
		if wanted.Matches(set) {
			items = append(items, object)
		}
	}
	return map[string]any{"kind": k.kind + "List", "apiVersion": strings.TrimPrefix(k.group+"/"+k.version, "/"), "metadata": map[string]any{}, "items": items}
}

func (s *apiServer) discover(path string) map[string]any {
	switch path {
	case "api":
		return map[string]any{"kind": "APIVersions", "versions": []string{"v1"}}
	case "apis":
		var groups []any
		seen := map[string]bool{"": true}
		for _, k := range s.kinds {
			if !seen[k.group] {
				seen[k.group] = true
				v := map[string]any{"groupVersion": k.group + "/" + k.version, "version": k.version}
				groups = append(groups, map[string]any{"name": k.group, "versions": []any{v}, "preferredVersion": v})
			}
		}
		return map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
	}
	var resources []any
	for _, k := range s.kinds {
		if path == "apis/"+k.group+"/"+k.version || k.group == "" && path == "api/v1" {
			resources = append(resources, map[string]any{
				"name": k.resource, "kind": k.kind, "namespaced": k.namespaced, "verbs": []string{"get", "list", "patch", "create", "update", "delete"},
			})
		}
	}
	if resources == nil {
		return nil
	}
	return map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": strings.TrimPrefix(strings.TrimPrefix(path, "apis/"), "api/"), "resources": resources}
}

// find takes a path apart.
func (s *apiServer) find(path string) (k servedKind, ns, name string) {
	parts := strings.Split(path, "/")
	group := ""
	if len(parts) > 1 && parts[0] == "apis" {
		group, parts = parts[1], parts[2:]
	} else {
		parts = parts[1:]
	}
	if len(parts) < 2 {
		return k, "", ""
	}
	parts = parts[1:]
	if parts[0] == "namespaces" && len(parts) > 2 {
		ns, parts = parts[1], parts[2:]
	}
	if len(parts) > 1 {
		name = parts[1]
	}
	for _, served := range s.kinds {
		if served.group == group && served.resource == parts[0] {
			return served, ns, name
		}
	}
	return servedKind{}, "", ""
}

func keyOf(k servedKind, ns, name string) string { return k.kind + " " + ns + "/" + name }

func metaOf(object map[string]any) map[string]any {
	m, _ := object["metadata"].(map[string]any)
	return m
}

func version(object map[string]any) string { return text(metaOf(object)["resourceVersion"]) }

func text(value any) string {
	t, _ := value.(string)
	return t
}

func asInt(value any) int64 {
	switch n := value.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}

func clone(object map[string]any) map[string]any {
	var copied map[string]any
	raw, _ := json.Marshal(object)
	_ = json.Unmarshal(raw, &copied)
	return copied
}

func merge(into, from map[string]any) {
	for name, value := range from {
		if value == nil {
			delete(into, name)
			continue
		}
		inner, isMap := value.(map[string]any)
		if !isMap {
			into[name] = value
			continue
		}
		known, _ := into[name].(map[string]any)
		if known == nil {
			known = map[string]any{}
		}
		merge(known, inner)
		into[name] = known
	}
}

func reply(w http.ResponseWriter, code int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func failure(w http.ResponseWriter, code int, reason, message string) {
	reply(w, code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
}
