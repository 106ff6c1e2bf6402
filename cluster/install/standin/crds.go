package standin

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// custom is a kind of custom resource, reduced to what a suite needs: its name,
// its versions, and the members of spec without which it means nothing. The
// schemas of the real ones are not ours to give.
type custom struct {
	group, plural, kind string
	// versions are the served ones, the stored one first.
	versions []string
	cluster  bool
	required []string
}

// customs are the kinds of the objects of a policy and of what the operators
// make of them (vectors of the cluster, crds).
func customs() []custom {
	target := []string{"targetRef"}
	return []custom{
		{group: "gateway.networking.k8s.io", plural: "gatewayclasses", kind: "GatewayClass", versions: []string{"v1"}, cluster: true, required: []string{"controllerName"}},
		{group: "gateway.networking.k8s.io", plural: "gateways", kind: "Gateway", versions: []string{"v1", "v1beta1"}, required: []string{"gatewayClassName", "listeners"}},
		{group: "gateway.networking.k8s.io", plural: "httproutes", kind: "HTTPRoute", versions: []string{"v1", "v1beta1"}},
		{group: "gateway.networking.k8s.io", plural: "grpcroutes", kind: "GRPCRoute", versions: []string{"v1"}},
		{group: "gateway.networking.k8s.io", plural: "referencegrants", kind: "ReferenceGrant", versions: []string{"v1beta1"}, required: []string{"from", "to"}},
		{group: "inference.networking.x-k8s.io", plural: "inferencepools", kind: "InferencePool", versions: []string{"v1alpha2"}, required: []string{"selector", "targetPortNumber"}},
		{group: "inference.networking.k8s.io", plural: "inferencepools", kind: "InferencePool", versions: []string{"v1"}, required: []string{"selector", "targetPorts"}},
		{group: "networking.istio.io", plural: "destinationrules", kind: "DestinationRule", versions: []string{"v1", "v1beta1", "v1alpha3"}, required: []string{"host"}},
		{group: "networking.istio.io", plural: "envoyfilters", kind: "EnvoyFilter", versions: []string{"v1alpha3"}},
		{group: "kuadrant.io", plural: "kuadrants", kind: "Kuadrant", versions: []string{"v1beta1"}},
		{group: "kuadrant.io", plural: "authpolicies", kind: "AuthPolicy", versions: []string{"v1"}, required: target},
		{group: "kuadrant.io", plural: "ratelimitpolicies", kind: "RateLimitPolicy", versions: []string{"v1"}, required: target},
		{group: "kuadrant.io", plural: "tokenratelimitpolicies", kind: "TokenRateLimitPolicy", versions: []string{"v1alpha1"}, required: target},
		{group: "extensions.kuadrant.io", plural: "telemetrypolicies", kind: "TelemetryPolicy", versions: []string{"v1alpha1"}, required: target},
		{group: "extensions.kuadrant.io", plural: "planpolicies", kind: "PlanPolicy", versions: []string{"v1alpha1"}, required: target},
		{group: "limitador.kuadrant.io", plural: "limitadors", kind: "Limitador", versions: []string{"v1alpha1"}},
		{group: "operator.authorino.kuadrant.io", plural: "authorinos", kind: "Authorino", versions: []string{"v1beta1"}},
		{group: "authorino.kuadrant.io", plural: "authconfigs", kind: "AuthConfig", versions: []string{"v1beta3"}, required: []string{"hosts"}},
		{group: "monitoring.coreos.com", plural: "servicemonitors", kind: "ServiceMonitor", versions: []string{"v1"}, required: []string{"selector", "endpoints"}},
		{group: "monitoring.coreos.com", plural: "podmonitors", kind: "PodMonitor", versions: []string{"v1"}, required: []string{"selector"}},
		{group: "monitoring.coreos.com", plural: "prometheusrules", kind: "PrometheusRule", versions: []string{"v1"}},
	}
}

func (c custom) name() string { return c.plural + "." + c.group }

// definition is the CustomResourceDefinition.
func (c custom) definition() *unstructured.Unstructured {
	scope := "Namespaced"
	if c.cluster {
		scope = "Cluster"
	}
	var versions []any
	for i, version := range c.versions {
		versions = append(versions, map[string]any{
			"name": version, "served": true, "storage": i == 0,
			"schema":       map[string]any{"openAPIV3Schema": c.schema()},
			"subresources": map[string]any{"status": map[string]any{}},
		})
	}
	o := newObject("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", c.name())
	if strings.HasSuffix(c.group, ".k8s.io") && !strings.HasSuffix(c.group, ".x-k8s.io") {
		// The API server refuses Kubernetes' own groups without it.
		o.SetAnnotations(map[string]string{"api-approved.kubernetes.io": "unapproved, reduced for a stand-in"})
	}
	o.Object["spec"] = map[string]any{
		"group": c.group, "scope": scope,
		"names":    map[string]any{"kind": c.kind, "listKind": c.kind + "List", "plural": c.plural, "singular": strings.ToLower(c.kind)},
		"versions": versions,
	}
	return o
}

// schema lets everything pass that has the members without which the object
// means nothing.
func (c custom) schema() map[string]any {
	anything := func() map[string]any {
		return map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	}
	spec := anything()
	schema := map[string]any{"type": "object", "properties": map[string]any{"spec": spec, "status": anything()}, "x-kubernetes-preserve-unknown-fields": true}
	if len(c.required) > 0 {
		var required []any
		for _, member := range c.required {
			required = append(required, member)
		}
		spec["required"] = required
		schema["required"] = []any{"spec"}
	}
	return schema
}
