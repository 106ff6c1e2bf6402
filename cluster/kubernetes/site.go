package kubernetes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// The kinds that a site is found by (vectors of the cluster).
var (
	kuadrantKind  = schema.GroupVersionKind{Group: "kuadrant.io", Version: "v1beta1", Kind: "Kuadrant"}
	limitadorKind = schema.GroupVersionKind{Group: "limitador.kuadrant.io", Version: "v1alpha1", Kind: "Limitador"}
	authorinoKind = schema.GroupVersionKind{Group: "operator.authorino.kuadrant.io", Version: "v1beta1", Kind: "Authorino"}

	gatewayKind   = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "Gateway"}
	httpRouteKind = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
	grpcRouteKind = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "GRPCRoute"}

	authPolicyKind      = schema.GroupVersionKind{Group: "kuadrant.io", Version: "v1", Kind: "AuthPolicy"}
	rateLimitKind       = schema.GroupVersionKind{Group: "kuadrant.io", Version: "v1", Kind: "RateLimitPolicy"}
	tokenRateLimitKind  = schema.GroupVersionKind{Group: "kuadrant.io", Version: "v1alpha1", Kind: "TokenRateLimitPolicy"}
	telemetryPolicyKind = schema.GroupVersionKind{Group: "extensions.kuadrant.io", Version: "v1alpha1", Kind: "TelemetryPolicy"}
	planPolicyKind      = schema.GroupVersionKind{Group: "extensions.kuadrant.io", Version: "v1alpha1", Kind: "PlanPolicy"}
)

// The selectors and ports of Kuadrant's components (vectors of the cluster).
const (
	limiterSelector    = "app=limitador,limitador-resource=limitador"
	limiterPort        = 8080
	authorizerSelector = "authorino-resource=authorino"
	authorizerPort     = 50051
	gatewayLabel       = "gateway.networking.k8s.io/gateway-name"
	gatewayStatsPort   = 15020
	prometheusPort     = 9090

	headersArgument = "--rate-limit-headers"
	// StandInLabel marks what is a stand-in, JournalLabel the Service, or the
	// pods, of a journal in front of the model server. Both have the value "true".
	StandInLabel = "floodgate.dev/stand-in"
	JournalLabel = "floodgate.dev/journal"
)

// Workload is a component's pods.
type Workload struct {
	Namespace string `json:"namespace"`
	Selector  string `json:"selector"`
	// Port is the one of the pods that is forwarded to.
	Port int `json:"port,omitempty"`
	// Service is the name of the Service before the pods, "" if none is known.
	Service string `json:"service,omitempty"`
	// Resource is the custom resource whose operator scales the pods; none means
	// their Deployment.
	Resource *Resource `json:"resource,omitempty"`
}

// Resource names a custom resource.
type Resource struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

func (r Resource) object() *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(r.APIVersion)
	o.SetKind(r.Kind)
	o.SetNamespace(r.Namespace)
	o.SetName(r.Name)
	return o
}

// Site is where a cluster's system under test is.
type Site struct {
	// Namespace is that of the Kuadrant object, "" where there is none.
	Namespace string `json:"namespace,omitempty"`
	// Gateway is the namespace/name of the Gateway that policies target.
	Gateway             string    `json:"gateway,omitempty"`
	Limiter, Authorizer *Workload `json:",omitempty"`
	// Model is the model server, or the journal before it: Journal says which.
	Model      *Workload `json:",omitempty"`
	Journal    bool      `json:"journal,omitempty"`
	Prometheus *Workload `json:",omitempty"`
	// RateLimitHeaders says that the limiter sends them.
	RateLimitHeaders bool `json:"rateLimitHeaders,omitempty"`
	// Missing says why something was not found, by its name here.
	Missing map[string]string `json:"missing,omitempty"`
}

// Discover finds the system under test in a cluster. What may be missing is
// noted in the Site; several Gateways among which none is chosen are an error.
func Discover(ctx context.Context, c *kube.Cluster, options cluster.KubernetesOptions) (Site, error) {
	d := &discovery{cluster: c, site: Site{Missing: map[string]string{}}}
	d.kuadrant(ctx, options.KuadrantNamespace)
	if err := d.gateway(ctx, options.GatewayName); err != nil {
		return Site{}, err
	}
	d.model(ctx)
	d.prometheus(ctx, options.OpenShift)
	return d.site, nil
}

type discovery struct {
	cluster *kube.Cluster
	site    Site
}

func (d *discovery) missing(what, format string, args ...any) {
	d.site.Missing[what] = fmt.Sprintf(format, args...)
}

// kuadrant finds the limiter and the authorizer: in the namespace of the Kuadrant
// object, or by their labels where there is none.
func (d *discovery) kuadrant(ctx context.Context, namespace string) {
	if namespace == "" {
		list, err := d.cluster.List(ctx, kuadrantKind, "", "")
		switch {
		case err != nil:
			d.missing("kuadrant", "%v; --kuadrant-namespace names its namespace", err)
		case len(list) == 0:
			d.missing("kuadrant", "the cluster has no Kuadrant object")
		default:
			namespace = list[0].GetNamespace()
		}
	}
	d.site.Namespace = namespace
	d.site.Limiter = d.component(ctx, "limiter", namespace, limiterSelector, limiterPort, limitadorKind, "limitador")
	d.site.Authorizer = d.component(ctx, "authorizer", namespace, authorizerSelector, authorizerPort, authorinoKind, "authorino")
	if d.site.Limiter != nil {
		pods, err := d.cluster.Pods(ctx, d.site.Limiter.Namespace, d.site.Limiter.Selector)
		for _, pod := range pods {
			for _, container := range pod.Spec.Containers {
				d.site.RateLimitHeaders = d.site.RateLimitHeaders || err == nil && slices.Contains(container.Args, headersArgument)
			}
		}
	}
}

func (d *discovery) component(ctx context.Context, what, namespace, selector string, port int, kind schema.GroupVersionKind, name string) *Workload {
	pods, err := d.cluster.Pods(ctx, namespace, selector)
	if err != nil {
		d.missing(what, "%v", err)
		return nil
	}
	if len(pods) == 0 {
		d.missing(what, "no pod with %s runs in %s", selector, cmp.Or(namespace, "any namespace"))
		return nil
	}
	w := &Workload{Namespace: pods[0].Namespace, Selector: selector, Port: port}
	if list, err := d.cluster.List(ctx, kind, w.Namespace, ""); err == nil {
		for _, o := range list {
			if o.GetName() == name || len(list) == 1 {
				w.Resource = &Resource{o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()}
			}
		}
	}
	w.Service = d.serviceOf(ctx, pods[0], port)
	return w
}

// serviceOf is the name of a Service whose pods this is one of, best one that
// has the port.
func (d *discovery) serviceOf(ctx context.Context, pod corev1.Pod, port int) string {
	services, err := d.cluster.Client.CoreV1().Services(pod.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return ""
	}
	found := ""
	for _, s := range services.Items {
		if len(s.Spec.Selector) == 0 || !selects(s.Spec.Selector, pod.Labels) {
			continue
		}
		if found == "" || slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return int(p.Port) == port }) {
			found = s.Name
		}
	}
	return found
}

func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// policyKinds are the kinds that target a Gateway or its routes.
func policyKinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{authPolicyKind, rateLimitKind, tokenRateLimitKind, telemetryPolicyKind, planPolicyKind}
}

func (d *discovery) gateway(ctx context.Context, chosen string) error {
	if chosen != "" {
		d.site.Gateway = chosen
		return nil
	}
	targeted := map[string]bool{}
	for _, kind := range policyKinds() {
		policies, err := d.cluster.List(ctx, kind, "", "")
		if err != nil {
			d.missing("gateway", "%v; --gateway-name names it", err)
			return nil
		}
		for _, p := range policies {
			for _, gateway := range d.gatewaysOf(ctx, &p) {
				targeted[gateway] = true
			}
		}
	}
	// What a run of ours left is not what is to be judged.
	var names []string
	for name := range targeted {
		namespace, gateway, _ := strings.Cut(name, "/")
		live, err := d.cluster.Get(ctx, Resource{gatewayKind.GroupVersion().String(), gatewayKind.Kind, namespace, gateway}.object())
		if err == nil && live.GetLabels()[RunLabel] == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch len(names) {
	case 0:
		d.missing("gateway", "no policy targets a Gateway that is there")
		return nil
	case 1:
		d.site.Gateway = names[0]
		return nil
	default:
		return fmt.Errorf("policies target %d Gateways: choose one with --gateway-name: %s", len(names), strings.Join(names, ", "))
	}
}

// gatewaysOf are the Gateways that a policy acts on.
func (d *discovery) gatewaysOf(ctx context.Context, policy *unstructured.Unstructured) []string {
	kind, _, _ := unstructured.NestedString(policy.Object, "spec", "targetRef", "kind")
	name, _, _ := unstructured.NestedString(policy.Object, "spec", "targetRef", "name")
	switch kind {
	case gatewayKind.Kind:
		return []string{policy.GetNamespace() + "/" + name}
	case httpRouteKind.Kind, grpcRouteKind.Kind:
		route, err := d.cluster.Get(ctx, Resource{httpRouteKind.GroupVersion().String(), kind, policy.GetNamespace(), name}.object())
		if err != nil {
			return nil
		}
		return parentsOf(route)
	}
	return nil
}

// parentsOf are the Gateways that a route is attached to, as namespace/name.
func parentsOf(route *unstructured.Unstructured) []string {
	refs, _, _ := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
	var found []string
	for _, item := range refs {
		ref, _ := item.(map[string]any)
		if kind := member(ref, "kind", gatewayKind.Kind); kind == gatewayKind.Kind {
			found = append(found, member(ref, "namespace", route.GetNamespace())+"/"+member(ref, "name", ""))
		}
	}
	return found
}

func member(of map[string]any, name, absent string) string {
	if value, ok := of[name].(string); ok && value != "" {
		return value
	}
	return absent
}

// model finds what the Gateway's routes lead to: the pods of a Service or of an
// InferencePool.
func (d *discovery) model(ctx context.Context) {
	var reasons []error
	for _, kind := range []schema.GroupVersionKind{httpRouteKind, grpcRouteKind} {
		routes, err := d.cluster.List(ctx, kind, "", "")
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		for _, route := range routes {
			if !slices.Contains(parentsOf(&route), d.site.Gateway) {
				continue
			}
			for _, ref := range backendsOf(&route) {
				if err := d.backend(ctx, ref); err != nil {
					reasons = append(reasons, err)
					continue
				}
				return
			}
		}
	}
	d.missing("model", "no pods behind the routes of Gateway %s could be found: %v", d.site.Gateway, errors.Join(reasons...))
}

func backendsOf(route *unstructured.Unstructured) []map[string]any {
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	var found []map[string]any
	for _, item := range rules {
		rule, _ := item.(map[string]any)
		refs, _, _ := unstructured.NestedSlice(rule, "backendRefs")
		for _, item := range refs {
			if ref, ok := item.(map[string]any); ok {
				ref["namespace"] = member(ref, "namespace", route.GetNamespace())
				found = append(found, ref)
			}
		}
	}
	return found
}

func (d *discovery) backend(ctx context.Context, ref map[string]any) error {
	namespace, name := member(ref, "namespace", ""), member(ref, "name", "")
	if kind := member(ref, "kind", "Service"); kind != "Service" {
		return d.pool(ctx, member(ref, "group", ""), kind, namespace, name)
	}
	service, err := d.cluster.Client.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if len(service.Spec.Selector) == 0 || len(service.Spec.Ports) == 0 {
		return fmt.Errorf("no pods are selected by Service %s/%s", namespace, name)
	}
	port := service.Spec.Ports[0]
	for _, p := range service.Spec.Ports {
		if number, ok := ref["port"].(int64); ok && int64(p.Port) == number {
			port = p
		}
	}
	w := &Workload{Namespace: namespace, Selector: labelsOf(service.Spec.Selector), Service: name}
	pods, err := d.cluster.Pods(ctx, w.Namespace, w.Selector)
	if err != nil {
		return err
	}
	if len(pods) == 0 {
		return fmt.Errorf("no pod of Service %s/%s runs", namespace, name)
	}
	w.Port = podPort(&pods[0], port)
	d.site.Model, d.site.Journal = w, marked(service, JournalLabel) || marked(&pods[0], JournalLabel)
	return nil
}

// pool is an InferencePool, of which two versions are about: a plain map of
// labels and one port, or matchLabels and a list of ports.
func (d *discovery) pool(ctx context.Context, group, kind, namespace, name string) error {
	for _, version := range []string{"v1", "v1alpha2"} {
		o, err := d.cluster.Get(ctx, Resource{group + "/" + version, kind, namespace, name}.object())
		if err != nil {
			continue
		}
		labels, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
		if len(labels) == 0 {
			labels, _, _ = unstructured.NestedStringMap(o.Object, "spec", "selector")
		}
		port, _, _ := unstructured.NestedInt64(o.Object, "spec", "targetPortNumber")
		if ports, _, _ := unstructured.NestedSlice(o.Object, "spec", "targetPorts"); len(ports) > 0 {
			first, _ := ports[0].(map[string]any)
			port, _ = first["number"].(int64)
		}
		w := &Workload{Namespace: namespace, Selector: labelsOf(labels), Port: int(port)}
		pods, err := d.cluster.Pods(ctx, namespace, w.Selector)
		if err != nil {
			return err
		}
		if len(labels) == 0 || port == 0 || len(pods) == 0 {
			return fmt.Errorf("no pod of %s %s/%s runs", kind, namespace, name)
		}
		d.site.Model, d.site.Journal = w, marked(&pods[0], JournalLabel)
		return nil
	}
	return fmt.Errorf("%s %s/%s could not be read", kind, namespace, name)
}

// podPort is the number of the pod's port that a Service's port leads to.
func podPort(pod *corev1.Pod, port corev1.ServicePort) int {
	if port.TargetPort.Type == intstr.Int && port.TargetPort.IntVal != 0 {
		return int(port.TargetPort.IntVal)
	}
	for _, container := range pod.Spec.Containers {
		for _, p := range container.Ports {
			if port.TargetPort.Type == intstr.String && p.Name == port.TargetPort.StrVal {
				return int(p.ContainerPort)
			}
		}
	}
	return int(port.Port)
}

func labelsOf(labels map[string]string) string {
	return metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: labels})
}

func marked(object metav1.Object, name string) bool {
	return object.GetLabels()[name] == "true" || object.GetAnnotations()[name] == "true"
}

func (d *discovery) prometheus(ctx context.Context, openShift bool) {
	if openShift {
		d.missing("prometheus", "OpenShift's needs a token of yours: --prometheus-url names one that does not")
		return
	}
	pods, err := d.cluster.Pods(ctx, "", "app.kubernetes.io/name=prometheus")
	if err != nil {
		d.missing("prometheus", "%v; --prometheus-url names it", err)
		return
	}
	for _, pod := range pods {
		if kube.Ready(&pod) {
			d.site.Prometheus = &Workload{Namespace: pod.Namespace, Selector: "app.kubernetes.io/name=prometheus", Port: prometheusPort}
			return
		}
	}
	d.missing("prometheus", "no ready pod with app.kubernetes.io/name=prometheus in any namespace")
}
