package kuadrant

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// shares are a user's manifests by the step that they belong to.
type shares struct {
	namespaces, kuadrants, limitadors   []*unstructured.Unstructured
	gateways, routes, rules, monitoring []*unstructured.Unstructured
	policies                            []*unstructured.Unstructured
}

func shareOut(objects []*unstructured.Unstructured) shares {
	var s shares
	for _, object := range objects {
		share := &s.policies
		group := object.GroupVersionKind().Group
		switch kind := object.GetKind(); {
		case group == "" && kind == "Namespace":
			share = &s.namespaces
		case group == "kuadrant.io" && kind == "Kuadrant":
			share = &s.kuadrants
		case group == "limitador.kuadrant.io":
			share = &s.limitadors
		case group == gatewayGroup && (kind == "Gateway" || kind == "GatewayClass"):
			share = &s.gateways
		case group == gatewayGroup, kind == "InferencePool":
			share = &s.routes
		case group == "networking.istio.io" && kind == "DestinationRule":
			share = &s.rules
		case group == "monitoring.coreos.com":
			share = &s.monitoring
		}
		*share = append(*share, object)
	}
	slices.SortStableFunc(s.policies, func(a, b *unstructured.Unstructured) int { return cmp.Compare(rank(a), rank(b)) })
	return s
}

const gatewayGroup = "gateway.networking.k8s.io"

// rank orders the objects of a policy: keys before the policy that selects them,
// who is called what before anybody is counted, and a Gateway before a route of
// it.
func rank(object *unstructured.Unstructured) int {
	if rank := slices.Index(ranks, object.GetKind()); rank >= 0 {
		return rank
	}
	return slices.Index(ranks, "")
}

var ranks = []string{
	"Namespace", "GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute", "ConfigMap", "Secret", "", "AuthPolicy", "TelemetryPolicy",
	"PlanPolicy", "OIDCPolicy", "RateLimitPolicy", "TokenRateLimitPolicy", "ServiceMonitor", "PrometheusRule",
}

// place is where things are: the namespaces that the user's objects name, or the
// demo's (sut.md 1.1).
type place struct {
	kuadrant, model, monitoring string
	gateway                     string
}

func (s shares) place() (place, error) {
	p := place{kuadrant: "kuadrant-system", model: "llm-d", monitoring: "llm-d-monitoring", gateway: "infra-sim-inference-gateway"}
	for _, one := range []struct {
		what    string
		objects []*unstructured.Unstructured
	}{{"Kuadrant", s.kuadrants}, {"Limitador", s.limitadors}} {
		if len(one.objects) > 1 {
			return p, fmt.Errorf("the policies have %d %s objects: an installation has one", len(one.objects), one.what)
		}
	}
	if len(s.kuadrants) > 0 {
		p.kuadrant = s.kuadrants[0].GetNamespace()
	}
	if len(s.limitadors) > 0 && (s.limitadors[0].GetNamespace() != p.kuadrant || s.limitadors[0].GetName() != "limitador") {
		return p, fmt.Errorf("the policies' Limitador is %s/%s, the operator makes %s/limitador beside the Kuadrant object",
			s.limitadors[0].GetNamespace(), s.limitadors[0].GetName(), p.kuadrant)
	}
	for _, gateway := range s.gateways {
		if gateway.GetKind() == "Gateway" {
			p.model, p.gateway = gateway.GetNamespace(), gateway.GetName()
			break
		}
	}
	if len(s.monitoring) > 0 {
		p.monitoring = s.monitoring[0].GetNamespace()
	}
	return p, nil
}

// object is a manifest in short.
func object(gvk schema.GroupVersionKind, namespace, name string, content map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	maps.Copy(o.Object, content)
	o.SetGroupVersionKind(gvk)
	o.SetName(name)
	if namespace != "" {
		o.SetNamespace(namespace)
	}
	return o
}

var (
	namespaceKind   = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
	deploymentKind  = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	classKind       = schema.GroupVersionKind{Group: gatewayGroup, Version: "v1", Kind: "GatewayClass"}
	gatewayKind     = schema.GroupVersionKind{Group: gatewayGroup, Version: "v1", Kind: "Gateway"}
	httpRouteKind   = schema.GroupVersionKind{Group: gatewayGroup, Version: "v1", Kind: "HTTPRoute"}
	kuadrantKind    = schema.GroupVersionKind{Group: "kuadrant.io", Version: "v1beta1", Kind: "Kuadrant"}
	limitadorKind   = schema.GroupVersionKind{Group: "limitador.kuadrant.io", Version: "v1alpha1", Kind: "Limitador"}
	authorinoKind   = schema.GroupVersionKind{Group: "operator.authorino.kuadrant.io", Version: "v1beta1", Kind: "Authorino"}
	authConfigKind  = schema.GroupVersionKind{Group: "authorino.kuadrant.io", Version: "v1beta3", Kind: "AuthConfig"}
	ruleKind        = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "DestinationRule"}
	filterKind      = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1alpha3", Kind: "EnvoyFilter"}
	authPolicyKind  = schema.GroupVersionKind{Group: "kuadrant.io", Version: "v1", Kind: "AuthPolicy"}
	limitPolicyKind = schema.GroupVersionKind{Group: "kuadrant.io", Version: "v1", Kind: "RateLimitPolicy"}
	routeKind       = schema.GroupVersionKind{Group: "route.openshift.io", Version: "v1", Kind: "Route"}
	statefulSetKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"}
)
