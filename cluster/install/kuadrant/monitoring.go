package kuadrant

import (
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// userMonitoring is where OpenShift runs the Prometheus of users' workloads.
const userMonitoring = "openshift-user-workload-monitoring"

// monitoring has Prometheus scrape Limitador and reckon what callers use.
func (p *planning) monitoring() install.Step {
	step := install.Step{
		Name: stepMonitoring, About: "what Prometheus scrapes and reckons",
		Patience: time.Minute,
	}
	if p.OpenShift {
		step.About += ", by OpenShift's user workload monitoring"
		step.Ready = append(step.Ready, install.Exists(object(statefulSetKind, userMonitoring, "prometheus-user-workload", nil)))
	}
	for _, one := range p.shares.monitoring {
		if p.OpenShift {
			one = p.userWorkload(one)
		}
		step.Objects = append(step.Objects, one)
		step.Ready = append(step.Ready, install.Exists(one))
		if len(step.Collect) == 0 {
			step.Collect = []install.Scope{{Namespace: one.GetNamespace()}}
		}
	}
	return step
}

// userWorkload is a monitoring object as OpenShift's user workload monitoring
// takes it: it looks for targets in an object's own namespace alone, and rules
// see that namespace's series alone, so that both go where Limitador is.
func (p *planning) userWorkload(object *unstructured.Unstructured) *unstructured.Unstructured {
	object = object.DeepCopy()
	object.SetNamespace(p.at.kuadrant)
	unstructured.RemoveNestedField(object.Object, "spec", "namespaceSelector")
	labels := maps.Clone(object.GetLabels())
	if labels == nil {
		labels = map[string]string{}
	}
	// That is how the operator stack's Prometheus picks its objects.
	delete(labels, "release")
	if object.GetKind() == "PrometheusRule" {
		labels["openshift.io/prometheus-rule-evaluation-scope"] = "leaf-prometheus"
	}
	object.SetLabels(labels)
	return object
}

// routes makes the gateway's Service reachable through OpenShift's router: there
// is no load balancer to count on.
func (p *planning) routes() install.Step {
	route := object(routeKind, p.at.model, p.at.gateway, map[string]any{"spec": map[string]any{
		"to":   map[string]any{"kind": "Service", "name": p.at.gateway + "-istio", "weight": int64(100)},
		"port": map[string]any{"targetPort": int64(80)},
	}})
	return install.Step{
		Name: stepRoutes, About: "OpenShift's Route to the gateway",
		Objects: []*unstructured.Unstructured{route},
		Ready:   []install.Condition{install.Exists(route), install.ServiceHasEndpoints(p.at.model, p.at.gateway+"-istio")}, Patience: 2 * time.Minute,
		Collect: []install.Scope{{Namespace: p.at.model, Selector: gatewayGroup + "/gateway-name=" + p.at.gateway}},
	}
}
