package operator

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// resource is how the API server serves a kind.
type resource struct {
	schema.GroupVersionResource

	kind string
}

func served(group, version, plural, kind string) resource {
	return resource{schema.GroupVersionResource{Group: group, Version: version, Resource: plural}, kind}
}

// The kinds that are read and written, in the versions of kuadrant-operator
// 1.5.2 and Istio 1.29 (vectors of the cluster).
var (
	gateways   = served("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
	httpRoutes = served("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")

	authPolicies       = served("kuadrant.io", "v1", "authpolicies", "AuthPolicy")
	rateLimitPolicies  = served("kuadrant.io", "v1", "ratelimitpolicies", "RateLimitPolicy")
	tokenLimitPolicies = served("kuadrant.io", "v1alpha1", "tokenratelimitpolicies", "TokenRateLimitPolicy")
	telemetryPolicies  = served("extensions.kuadrant.io", "v1alpha1", "telemetrypolicies", "TelemetryPolicy")
	planPolicies       = served("extensions.kuadrant.io", "v1alpha1", "planpolicies", "PlanPolicy")

	kuadrants  = served("kuadrant.io", "v1beta1", "kuadrants", "Kuadrant")
	limitadors = served("limitador.kuadrant.io", "v1alpha1", "limitadors", "Limitador")
	authorinos = served("operator.authorino.kuadrant.io", "v1beta1", "authorinos", "Authorino")

	authConfigs  = served("authorino.kuadrant.io", "v1beta3", "authconfigs", "AuthConfig")
	envoyFilters = served("networking.istio.io", "v1alpha3", "envoyfilters", "EnvoyFilter")

	deployments     = served("apps", "v1", "deployments", "Deployment")
	services        = served("", "v1", "services", "Service")
	configMaps      = served("", "v1", "configmaps", "ConfigMap")
	pods            = served("", "v1", "pods", "Pod")
	serviceAccounts = served("", "v1", "serviceaccounts", "ServiceAccount")
	roles           = served("rbac.authorization.k8s.io", "v1", "roles", "Role")
	roleBindings    = served("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
)

// policies are the kinds that target a Gateway or a route.
func policies() []resource {
	return []resource{authPolicies, rateLimitPolicies, tokenLimitPolicies, telemetryPolicies, planPolicies}
}

// causes are the kinds of other people's objects that are acted upon.
func causes() []resource {
	return append(policies(), gateways, httpRoutes, kuadrants, limitadors, authorinos)
}

// made are the kinds of the objects that are written beside these.
func made() []resource {
	return []resource{authConfigs, envoyFilters, deployments, services, configMaps, serviceAccounts, roles, roleBindings}
}

// all are the kinds that exist in this package.
func all() []resource { return append(append(causes(), made()...), pods) }

// resourceOf is how an object's kind is served.
func resourceOf(o *unstructured.Unstructured) (resource, bool) {
	for _, r := range all() {
		if r.kind == o.GetKind() && r.GroupVersion() == o.GroupVersionKind().GroupVersion() {
			return r, true
		}
	}
	return resource{}, false
}

// name is namespace/name.
func name(o *unstructured.Unstructured) string { return o.GetNamespace() + "/" + o.GetName() }
