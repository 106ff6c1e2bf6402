package kuadrant

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// smallCPU is what an operator requests at most with Small: with it a whole
// installation fits into two cores (vectors of the cluster, deviations).
const smallCPU = "20m"

// operatorPods select each operator's pods. By control-plane=controller-manager
// alone kuadrant-operator's, limitador-operator's and Authorino's are one
// (vectors of the cluster, surprise 1).
var operatorPods = []string{
	"app=kuadrant", "app=limitador-operator", "control-plane=authorino-operator", "control-plane=dns-operator-controller-manager",
}

// kuadrantOperator installs the four operators. It comes after Gateway API and
// Istio's custom resources: an operator that did not find them at its start has
// to be restarted.
func (p *planning) kuadrantOperator() install.Step {
	namespace := p.at.kuadrant
	step := install.Step{
		Name: kuadrantOperator, About: "the operators of Kuadrant, Limitador, Authorino and DNS",
		Charts:   []install.Chart{p.chart(kuadrantOperator, "kuadrant-operator", namespace)},
		Patience: 10 * time.Minute,
	}
	definitions := []string{
		"kuadrants.kuadrant.io", "authpolicies.kuadrant.io", "ratelimitpolicies.kuadrant.io",
		"limitadors.limitador.kuadrant.io", "authorinos.operator.authorino.kuadrant.io", "authconfigs.authorino.kuadrant.io",
	}
	if !p.set.lacks("TelemetryPolicy") {
		definitions = append(definitions, "telemetrypolicies.extensions.kuadrant.io")
	}
	for _, name := range definitions {
		step.Ready = append(step.Ready, install.CRDEstablished(name))
	}
	for _, operator := range p.set.Operators {
		step.Ready = append(step.Ready, install.DeploymentAvailable(namespace, operator.Deployment))
		if changed := p.operator(operator); changed != nil {
			step.Objects = append(step.Objects, changed)
		}
	}
	for _, selector := range operatorPods {
		step.Collect = append(step.Collect, install.Scope{Namespace: namespace, Selector: selector})
	}
	return step
}

// operator is what is changed of an operator's Deployment after the chart, whose
// values change nothing; nil if it is nothing. It is applied and no merge patch:
// that would replace the list of containers, whereas applying finds the
// container by its name.
func (p *planning) operator(operator Operator) *unstructured.Unstructured {
	requests, err := resource.ParseQuantity(operator.CPU)
	lower := p.Small && err == nil && requests.Cmp(resource.MustParse(smallCPU)) > 0
	if !lower && p.RegistryMirror == "" {
		return nil
	}
	manager := map[string]any{"name": "manager"}
	if lower {
		manager["resources"] = map[string]any{"requests": map[string]any{"cpu": smallCPU}}
	}
	if p.RegistryMirror != "" {
		manager["image"] = operator.Image
		var env []any
		for _, variable := range slices.Sorted(maps.Keys(operator.Related)) {
			env = append(env, map[string]any{"name": variable, "value": operator.Related[variable]})
		}
		if len(env) > 0 {
			manager["env"] = env
		}
	}
	return object(deploymentKind, p.at.kuadrant, operator.Deployment, map[string]any{"spec": map[string]any{
		"template": map[string]any{"spec": map[string]any{"containers": []any{manager}}},
	}})
}

// limiterPods and authorinoPods are those that the operators run.
const (
	limiterPods   = "app=limitador,limitador-resource=limitador"
	authorinoPods = "authorino-resource=authorino"
)

// kuadrant has the operators run Limitador and Authorino.
func (p *planning) kuadrant() install.Step {
	namespace := p.at.kuadrant
	instance := object(kuadrantKind, namespace, "kuadrant", map[string]any{"spec": map[string]any{}})
	if len(p.shares.kuadrants) > 0 {
		instance = p.shares.kuadrants[0]
	}
	step := install.Step{
		Name: stepKuadrant, About: "Limitador and Authorino",
		Objects: []*unstructured.Unstructured{instance},
		Ready: []install.Condition{
			install.StatusCondition(instance, "Ready", "True"),
			install.DeploymentAvailable(namespace, "limitador-limitador"),
			install.DeploymentAvailable(namespace, "authorino"),
			install.ServiceHasEndpoints(namespace, "limitador-limitador"),
			install.ServiceHasEndpoints(namespace, "authorino-authorino-authorization"),
		},
		Patience: 5 * time.Minute,
		Collect: []install.Scope{
			{Namespace: namespace, Selector: limiterPods, Kinds: []schema.GroupVersionKind{kuadrantKind, limitadorKind, authorinoKind}},
			{Namespace: namespace, Selector: authorinoPods},
			{Namespace: namespace, Selector: operatorPods[0]},
		},
	}
	if p.Preloaded {
		// The operator's default is Always: an image in the node would not be used.
		step.Patches = append(step.Patches, install.Patch{
			Object: object(authorinoKind, namespace, "authorino", nil),
			Merge:  map[string]any{"spec": map[string]any{"imagePullPolicy": "IfNotPresent"}},
		})
	}
	return step
}
