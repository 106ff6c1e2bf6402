package kuadrant

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// policies applies the keys and then what selects them.
func (p *planning) policies() install.Step {
	objects, note := p.known(p.shares.policies)
	step := install.Step{
		Name: stepPolicies, About: "keys and policies" + note,
		Objects: objects, Patience: 3 * time.Minute,
		Collect: []install.Scope{
			{Namespace: p.at.model, Selector: gatewayGroup + "/gateway-name=" + p.at.gateway, Kinds: []schema.GroupVersionKind{
				authPolicyKind, limitPolicyKind, gatewayKind, httpRouteKind, filterKind,
			}},
			{Namespace: p.at.kuadrant, Selector: operatorPods[0], Kinds: []schema.GroupVersionKind{authConfigKind, limitadorKind, kuadrantKind}},
			{Namespace: p.at.kuadrant, Selector: limiterPods},
			{Namespace: p.at.kuadrant, Selector: authorinoPods},
		},
	}
	step.Ready = settled(objects)
	return step
}

// known leaves out the policies that this kuadrant-operator does not know. That
// is said of TelemetryPolicies, without which limits are the same; a policy that
// limits is an error.
func (p *planning) known(objects []*unstructured.Unstructured) (known []*unstructured.Unstructured, note string) {
	var left []string
	for _, object := range objects {
		switch kind := object.GetKind(); {
		case !p.set.lacks(kind):
			known = append(known, object)
		case kind == "TelemetryPolicy":
			left = append(left, object.GetNamespace()+"/"+object.GetName())
		default:
			p.errs = append(p.errs, fmt.Errorf("%s %s/%s: kuadrant-operator %s does not know this kind: take versions %s, or leave it out",
				kind, object.GetNamespace(), object.GetName(), p.set.chart(kuadrantOperator).Version, Current))
		}
	}
	if len(left) > 0 {
		note = fmt.Sprintf(" (left out: TelemetryPolicy %s, which kuadrant-operator %s does not know)",
			strings.Join(left, ", "), p.set.chart(kuadrantOperator).Version)
	}
	return known, note
}

// settled waits for every policy's status.
func settled(objects []*unstructured.Unstructured) []install.Condition {
	var conditions []install.Condition
	for _, object := range objects {
		switch object.GetKind() {
		case "AuthPolicy", "RateLimitPolicy", "TokenRateLimitPolicy":
			conditions = append(conditions, enforcedOrOverridden(object))
		case "TelemetryPolicy", "PlanPolicy", "OIDCPolicy":
			conditions = append(conditions, install.StatusCondition(object, "Enforced", "True"))
		}
	}
	return conditions
}

// enforcedOrOverridden waits until a policy is Enforced as it is now, or another
// one stands in its place, which is how it is meant to be (sut.md 3.7).
func enforcedOrOverridden(policy *unstructured.Unstructured) install.Condition {
	enforced := install.PolicyEnforced(policy)
	return install.Condition{
		What: enforced.What + " or overridden",
		Check: func(ctx context.Context, c *kube.Cluster) error {
			err := enforced.Check(ctx, c)
			if err == nil {
				return nil
			}
			found, getErr := c.Get(ctx, policy)
			if getErr != nil {
				return err
			}
			if overridden(found) {
				return nil
			}
			return err
		},
	}
}

func overridden(policy *unstructured.Unstructured) bool {
	observed, _, _ := unstructured.NestedInt64(policy.Object, "status", "observedGeneration")
	conditions, _, _ := unstructured.NestedSlice(policy.Object, "status", "conditions")
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		if condition["type"] == "Enforced" && condition["reason"] == "Overridden" {
			return observed == policy.GetGeneration()
		}
	}
	return false
}

// variant makes another policy's namespaces, Gateway, routes and policies.
func (p *planning) variant(v Variant) install.Step {
	s := shareOut(v.Objects)
	policies, note := p.known(s.policies)
	step := install.Step{
		Name: stepVariant + v.Name, About: "policy variant " + v.Name + note,
		Objects: append(append([]*unstructured.Unstructured{}, s.namespaces...), s.gateways...), Patience: 5 * time.Minute,
	}
	for _, route := range s.routes {
		step.Objects = append(step.Objects, p.toPool(route))
	}
	step.Objects = append(append(step.Objects, s.rules...), policies...)
	for _, gateway := range s.gateways {
		if gateway.GetKind() == "Gateway" {
			step.Ready = append(step.Ready, gatewayReady(gateway)...)
			step.Collect = append(step.Collect, gatewayScope(gateway))
		}
	}
	step.Ready = append(step.Ready, settled(policies)...)
	step.Collect = append(step.Collect, install.Scope{Namespace: p.at.kuadrant, Selector: operatorPods[0]})
	for _, one := range [][]*unstructured.Unstructured{s.kuadrants, s.limitadors, s.monitoring} {
		for _, object := range one {
			p.errs = append(p.errs, fmt.Errorf("variant %s: %s %s/%s is of the whole installation: it cannot be a variant's",
				v.Name, object.GetKind(), object.GetNamespace(), object.GetName()))
		}
	}
	return step
}
