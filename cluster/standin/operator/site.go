package operator

import (
	"encoding/json"
	"errors"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// site is a Gateway with what is attached to it and what that means.
type site struct {
	gateway  *unstructured.Unstructured
	routes   []*unstructured.Unstructured
	policies []*unstructured.Unstructured
	set      *policy.Set
	// problems are what is wrong, by the object's name (kube.Name).
	problems map[string][]*policy.Error
}

func (p *pass) findSites() []*site {
	var sites []*site
	for _, gateway := range p.live(gateways) {
		s := &site{gateway: gateway, problems: map[string][]*policy.Error{}}
		for _, route := range p.live(httpRoutes) {
			if attached(route, gateway) {
				s.routes = append(s.routes, route)
			}
		}
		for _, kind := range policies() {
			for _, o := range p.live(kind) {
				if s.targetedBy(o) {
					s.policies = append(s.policies, o)
				}
			}
		}
		if err := s.read(p.kuadrant); err != nil {
			p.log.Error("a gateway's objects cannot be read", "gateway", name(gateway), "error", err)
		}
		sites = append(sites, s)
	}
	return sites
}

// attached tells whether a route names a Gateway as its parent.
func attached(route, gateway *unstructured.Unstructured) bool {
	for _, ref := range list(route.Object, "spec", "parentRefs") {
		if isParent(ref, route, gateway) {
			return true
		}
	}
	return false
}

func isParent(ref map[string]any, route, gateway *unstructured.Unstructured) bool {
	return text(ref, "Gateway", "kind") == "Gateway" && text(ref, "", "name") == gateway.GetName() &&
		text(ref, route.GetNamespace(), "namespace") == gateway.GetNamespace()
}

// targetedBy tells whether a policy acts on the Gateway or on a route of it.
func (s *site) targetedBy(o *unstructured.Unstructured) bool {
	for _, target := range append([]*unstructured.Unstructured{s.gateway}, s.routes...) {
		if targets(o, target) {
			return true
		}
	}
	return false
}

func targets(o, target *unstructured.Unstructured) bool {
	return o.GetNamespace() == target.GetNamespace() && text(o.Object, "", "spec", "targetRef", "kind") == target.GetKind() &&
		text(o.Object, "", "spec", "targetRef", "name") == target.GetName()
}

// read has the objects' meaning found out, as kuadrant-operator would. A set
// with problems is still what the operator would make of the objects.
func (s *site) read(kuadrant *unstructured.Unstructured) error {
	files, owners := fstest.MapFS{}, map[string]string{}
	objects := append([]*unstructured.Unstructured{s.gateway}, s.routes...)
	objects = append(objects, s.policies...)
	if kuadrant != nil {
		objects = append(objects, kuadrant)
	}
	for _, o := range objects {
		content, err := json.Marshal(bare(o))
		if err != nil {
			return err
		}
		file := o.GetKind() + "." + o.GetNamespace() + "." + o.GetName() + ".json"
		files[file], owners[file] = &fstest.MapFile{Data: content}, kube.Name(o)
	}
	set, err := policy.ReadFS(files, "")
	s.set = set
	for _, problem := range problemsOf(err) {
		s.problems[owners[problem.File]] = append(s.problems[owners[problem.File]], problem)
	}
	if set == nil {
		return err
	}
	return nil
}

// bare is an object as its user wrote it.
func bare(o *unstructured.Unstructured) map[string]any {
	o = o.DeepCopy()
	metadata := map[string]any{"name": o.GetName(), "namespace": o.GetNamespace()}
	if at := text(o.Object, "", "metadata", "creationTimestamp"); at != "" {
		metadata["creationTimestamp"] = at
	}
	content := map[string]any{"apiVersion": o.GetAPIVersion(), "kind": o.GetKind(), "metadata": metadata}
	for member, value := range o.Object {
		if member != "metadata" && member != "status" && member != "apiVersion" && member != "kind" {
			content[member] = value
		}
	}
	return content
}

// problemsOf takes joined errors apart.
func problemsOf(err error) []*policy.Error {
	if err == nil {
		return nil
	}
	if problem := (*policy.Error)(nil); errors.As(err, &problem) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			var found []*policy.Error
			for _, inner := range joined.Unwrap() {
				found = append(found, problemsOf(inner)...)
			}
			return found
		}
		if inner := errors.Unwrap(err); inner != nil {
			return problemsOf(inner)
		}
		return []*policy.Error{problem}
	}
	return nil
}
