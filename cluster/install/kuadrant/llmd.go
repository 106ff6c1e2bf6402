package kuadrant

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// The demo's releases (sut.md 5.1).
const (
	infraRelease = "infra-sim"
	poolRelease  = "gaie-sim"
	modelRelease = "ms-sim"
	// modelPrefix is what the chart calls what it makes.
	modelPrefix = modelRelease + "-llm-d-modelservice"
	picker      = poolRelease + "-epp"
)

// chartGateway is the Gateway that the chart of llm-d's infrastructure makes.
const chartGateway = infraRelease + "-inference-gateway"

// llmdInfra makes the Gateway, and those of the user's manifests. The chart gets
// the listeners of the user's own, so that both say the same of it.
func (p *planning) llmdInfra() install.Step {
	chart := p.chart(llmdInfra, infraRelease, p.at.model)
	step := install.Step{
		Name: llmdInfra, About: "the Gateway of llm-d, run by Istio",
		Objects: p.shares.gateways, Patience: 5 * time.Minute,
	}
	gateways := []*unstructured.Unstructured{object(gatewayKind, p.at.model, chartGateway, nil)}
	for _, gateway := range p.shares.gateways {
		if gateway.GetKind() != "Gateway" {
			continue
		}
		if gateway.GetNamespace() != p.at.model || gateway.GetName() != chartGateway {
			gateways = append(gateways, gateway)
			continue
		}
		if listeners, there, _ := unstructured.NestedSlice(gateway.Object, "spec", "listeners"); there {
			chart = p.with(chart, listeners, "gateway", "listeners")
		}
	}
	step.Charts = []install.Chart{chart}
	for _, gateway := range gateways {
		step.Ready = append(step.Ready, gatewayReady(gateway)...)
		step.Collect = append(step.Collect, gatewayScope(gateway))
	}
	step.Collect = append(step.Collect, install.Scope{Namespace: istioNamespace, Selector: "app=istiod"})
	return step
}

// gatewayReady is how a Gateway is known to be: its listeners, which are what
// Istio programs, and its pods. The Gateway itself never is Programmed where
// there is no load balancer.
func gatewayReady(gateway *unstructured.Unstructured) []install.Condition {
	conditions := []install.Condition{install.ListenerProgrammed(gateway.GetNamespace(), gateway.GetName())}
	// Other classes run gateways under other names.
	if class, there, _ := unstructured.NestedString(gateway.Object, "spec", "gatewayClassName"); !there || class == "istio" {
		conditions = append(conditions, install.DeploymentAvailable(gateway.GetNamespace(), gateway.GetName()+"-istio"))
	}
	return conditions
}

func gatewayScope(gateway *unstructured.Unstructured) install.Scope {
	return install.Scope{
		Namespace: gateway.GetNamespace(), Selector: gatewayGroup + "/gateway-name=" + gateway.GetName(),
		Kinds: []schema.GroupVersionKind{gatewayKind, filterKind},
	}
}

// modelService runs the simulator behind a pool of endpoints, and makes the
// routes to it.
func (p *planning) modelService() install.Step {
	namespace := p.at.model
	step := install.Step{
		Name: modelService, About: "the model: llm-d's simulator, its pool, endpoint picker and route",
		Charts: []install.Chart{
			p.chart(inferencePool, poolRelease, namespace),
			p.chart(modelService, modelRelease, namespace),
		},
		Ready: []install.Condition{
			install.DeploymentAvailable(namespace, modelPrefix+"-decode"),
			install.DeploymentAvailable(namespace, modelPrefix+"-prefill"),
			install.DeploymentAvailable(namespace, picker),
			install.ServiceHasEndpoints(namespace, picker),
			install.Exists(object(schema.FromAPIVersionAndKind(p.set.InferencePool, "InferencePool"), namespace, poolRelease, nil)),
		},
		Patience: 10 * time.Minute,
		Collect: []install.Scope{
			{Namespace: namespace, Selector: "llm-d.ai/model=" + modelPrefix, Kinds: []schema.GroupVersionKind{
				httpRouteKind, schema.FromAPIVersionAndKind(p.set.InferencePool, "InferencePool"),
			}},
			{Namespace: namespace, Selector: "inferencepool=" + picker},
		},
	}
	for _, route := range p.shares.routes {
		route = p.toPool(route)
		step.Objects = append(step.Objects, route)
		step.Ready = append(step.Ready, install.Exists(route))
	}
	return step
}

// toPool is a route whose backends name InferencePools as the set's version of
// them is called: their API group has changed (sut.md 6.2).
func (p *planning) toPool(route *unstructured.Unstructured) *unstructured.Unstructured {
	group, _, _ := strings.Cut(p.set.InferencePool, "/")
	route = route.DeepCopy()
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	changed := false
	for _, item := range rules {
		rule, _ := item.(map[string]any)
		backends, _ := rule["backendRefs"].([]any)
		for _, item := range backends {
			backend, _ := item.(map[string]any)
			if backend["kind"] == "InferencePool" && backend["group"] != group {
				backend["group"], changed = group, true
			}
		}
	}
	if changed {
		if err := unstructured.SetNestedSlice(route.Object, rules, "spec", "rules"); err != nil {
			p.errs = append(p.errs, err)
		}
	}
	return route
}

// endpointPicker has the gateway talk TLS to the picker, whose certificate
// nobody signed.
func (p *planning) endpointPicker() install.Step {
	step := install.Step{
		Name: stepEndpointPicker, About: "TLS without verification from the gateway to the endpoint picker",
		Objects: p.shares.rules, Patience: time.Minute,
	}
	if len(step.Objects) == 0 {
		step.Objects = []*unstructured.Unstructured{object(ruleKind, p.at.model, picker+"-insecure-tls", map[string]any{"spec": map[string]any{
			"host":          picker + "." + p.at.model + ".svc.cluster.local",
			"trafficPolicy": map[string]any{"tls": map[string]any{"mode": "SIMPLE", "insecureSkipVerify": true}},
		}})}
	}
	for _, rule := range step.Objects {
		step.Ready = append(step.Ready, install.Exists(rule))
	}
	return step
}
