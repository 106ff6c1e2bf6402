package standin

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// backend is what a route leads to.
type backend struct {
	group, kind     string
	namespace, name string
	port            int64
}

// defaultPort is that of a pool whose reference names none.
const defaultPort = 8000

// backends are what the routes among the objects lead to, each once.
func backends(objects []*unstructured.Unstructured) []backend {
	var found []backend
	seen := map[string]bool{}
	for _, route := range objects {
		if route.GetKind() != "HTTPRoute" && route.GetKind() != "GRPCRoute" {
			continue
		}
		rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
		for _, rule := range mappings(rules) {
			refs, _ := rule["backendRefs"].([]any)
			for _, ref := range mappings(refs) {
				b := backend{group: said(ref, "group"), kind: cmp.Or(said(ref, "kind"), "Service"), name: said(ref, "name"), port: defaultPort}
				b.namespace = cmp.Or(said(ref, "namespace"), route.GetNamespace())
				if port := whole(ref["port"]); port != 0 {
					b.port = port
				}
				if key := b.namespace + "/" + b.name; b.name != "" && !seen[key] {
					seen[key] = true
					found = append(found, b)
				}
			}
		}
	}
	return found
}

// models are the model servers' stand-ins behind the routes. A pool is reached
// through a Service of its name: there is no endpoint picker.
func models(o Options, policy []*unstructured.Unstructured) ([]*unstructured.Unstructured, []backend, error) {
	var all []*unstructured.Unstructured
	wanted := backends(policy)
	for _, b := range wanted {
		objects, err := render("model.yaml", struct {
			Namespace, Name string
			Port            int64
		}{b.namespace, b.name, b.port})
		if err != nil {
			return nil, nil, err
		}
		for _, object := range objects {
			if object.GetKind() == "Deployment" {
				setImage(object, "journal", o.Image)
				setImage(object, "llmd", o.Image)
				addArguments(object, "llmd", faultArguments(o.Faults["llmd"], o.Seed))
			}
			if !contains(policy, object) {
				all = append(all, object)
			}
		}
		if b.kind == "InferencePool" {
			if pool := b.pool(); !contains(policy, pool) {
				all = append(all, pool)
			}
		}
	}
	return all, wanted, nil
}

// pool is the InferencePool of a backend, in the version of its group.
func (b backend) pool() *unstructured.Unstructured {
	selector := map[string]any{"app": b.name}
	if b.group == "inference.networking.k8s.io" {
		o := newObject(b.group+"/v1", b.kind, b.namespace, b.name)
		o.Object["spec"] = map[string]any{
			"selector":    map[string]any{"matchLabels": selector},
			"targetPorts": []any{map[string]any{"number": b.port}},
		}
		return standIn(o)
	}
	o := newObject("inference.networking.x-k8s.io/v1alpha2", b.kind, b.namespace, b.name)
	o.Object["spec"] = map[string]any{"selector": selector, "targetPortNumber": b.port}
	return standIn(o)
}

func mappings(items []any) []map[string]any {
	var found []map[string]any
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			found = append(found, m)
		}
	}
	return found
}

func said(of map[string]any, member string) string {
	value, _ := of[member].(string)
	return value
}

// whole is a number as JSON, YAML or the API server have it.
func whole(value any) int64 {
	switch n := value.(type) {
	case int64:
		return n
	case int:
		return int64(n)
	case float64:
		return int64(n)
	}
	return 0
}

// contains tells whether an object of the same kind and name is among others.
func contains(objects []*unstructured.Unstructured, o *unstructured.Unstructured) bool {
	for _, other := range objects {
		if other.GroupVersionKind().GroupKind() == o.GroupVersionKind().GroupKind() &&
			other.GetNamespace() == o.GetNamespace() && other.GetName() == o.GetName() {
			return true
		}
	}
	return false
}

// faultArguments make a stand-in show its faults.
func faultArguments(faults []string, seed int64) []any {
	var arguments []any
	for _, fault := range faults {
		arguments = append(arguments, "--fault", fault)
	}
	if len(faults) > 0 && seed != 0 {
		arguments = append(arguments, "--fault-seed", fmt.Sprint(seed))
	}
	return arguments
}
