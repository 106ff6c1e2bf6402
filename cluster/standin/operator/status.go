package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// condition is one of a status.
type condition struct {
	kind, reason, message string
	holds                 bool
	// generation is what Gateway API's conditions are of, 0 for none.
	generation int64
}

// conditionsOf are conditions as a status holds them, sorted by type. One whose
// status stays keeps its time.
func (p *pass) conditionsOf(was []map[string]any, conditions ...condition) []any {
	slices.SortFunc(conditions, func(a, b condition) int { return strings.Compare(a.kind, b.kind) })
	var all []any
	for _, c := range conditions {
		status := "False"
		if c.holds {
			status = "True"
		}
		at := p.now().UTC().Format(time.RFC3339)
		for _, before := range was {
			if before["type"] == c.kind && before["status"] == status {
				at = text(before, at, "lastTransitionTime")
			}
		}
		made := map[string]any{"type": c.kind, "status": status, "reason": c.reason, "lastTransitionTime": at}
		if c.message != "" {
			made["message"] = c.message
		}
		if c.generation != 0 {
			made["observedGeneration"] = c.generation
		}
		all = append(all, made)
	}
	return all
}

// say writes a status, unless the object has it.
func (p *pass) say(ctx context.Context, r resource, of *unstructured.Unstructured, status map[string]any) error {
	if of.GetDeletionTimestamp() != nil || covers(of.Object["status"], status) {
		return nil
	}
	o := newObject(r, of.GetNamespace(), of.GetName())
	o.Object["status"] = status
	return p.writer.applyStatus(ctx, r, o)
}

// statuses says how far everything is. It looks at what was there when the pass
// began: what the pass itself has written counts from the next one on, so that
// Enforced=False is to be seen after a change, as with the real operator.
func (p *pass) statuses(ctx context.Context) error {
	var errs []error
	for _, cr := range p.live(limitadors) {
		errs = append(errs, p.say(ctx, limitadors, cr, p.limitadorStatus(cr)))
	}
	for _, cr := range p.live(authorinos) {
		c := condition{kind: "Ready", holds: p.available(cr.GetNamespace(), cr.GetName()), reason: "Provisioned"}
		if !c.holds {
			c.reason, c.message = "DeploymentNotReady", "Authorino Deployment is not ready"
		}
		errs = append(errs, p.say(ctx, authorinos, cr, map[string]any{"conditions": p.conditionsOf(conditions(cr), c)}))
	}
	if p.kuadrant != nil {
		errs = append(errs, p.say(ctx, kuadrants, p.kuadrant, p.kuadrantStatus()))
	}
	for _, s := range p.sites {
		errs = append(errs, p.say(ctx, gateways, s.gateway, p.gatewayStatus(s)))
	}
	for _, route := range p.live(httpRoutes) {
		errs = append(errs, p.say(ctx, httpRoutes, route, p.routeStatus(route)))
	}
	for _, kind := range policies() {
		for _, o := range p.live(kind) {
			errs = append(errs, p.say(ctx, kind, o, p.policyStatus(o)))
		}
	}
	return errors.Join(errs...)
}

func conditions(o *unstructured.Unstructured) []map[string]any {
	return list(o.Object, "status", "conditions")
}

// available tells whether a Deployment has ended its rollout.
func (p *pass) available(namespace, deployment string) bool {
	d := p.objects.get(deployments, namespace, deployment)
	return d != nil && number(d.Object, "status", "observedGeneration") == d.GetGeneration() &&
		number(d.Object, "status", "availableReplicas") > 0 &&
		number(d.Object, "status", "updatedReplicas") >= number(d.Object, "spec", "replicas") &&
		number(d.Object, "status", "unavailableReplicas") == 0
}

func (p *pass) limitadorStatus(cr *unstructured.Unstructured) map[string]any {
	deployment := "limitador-" + cr.GetName()
	c := condition{kind: "Ready", holds: p.available(cr.GetNamespace(), deployment), reason: "Ready", message: "Limitador is ready"}
	if !c.holds {
		c.reason, c.message = "DeploymentNotReady", "Deployment "+deployment+" is not available"
	}
	return map[string]any{
		"conditions":         p.conditionsOf(conditions(cr), c),
		"observedGeneration": cr.GetGeneration(),
		"service": map[string]any{
			"host":  deployment + "." + cr.GetNamespace() + ".svc.cluster.local",
			"ports": map[string]any{"grpc": int64(8081), "http": int64(8080)},
		},
	}
}

func (p *pass) kuadrantStatus() map[string]any {
	c := condition{kind: "Ready", holds: true, reason: "Ready", message: "Kuadrant is ready"}
	switch {
	case !p.available(p.namespace(), "limitador-"+limitadorName):
		c = condition{kind: "Ready", reason: "LimitadorNotReady", message: "Limitador is not ready"}
	case !p.available(p.namespace(), authorinoName):
		c = condition{kind: "Ready", reason: "AuthorinoNotReady", message: "Authorino is not ready"}
	}
	return map[string]any{
		"conditions":         p.conditionsOf(conditions(p.kuadrant), c),
		"mtlsAuthorino":      false,
		"mtlsLimitador":      false,
		"observedGeneration": p.kuadrant.GetGeneration(),
	}
}

// affected are the conditions that say which policies act on a Gateway or a
// route.
func affected(policies []*unstructured.Unstructured, of *unstructured.Unstructured) []condition {
	by := map[string][]string{}
	for _, o := range policies {
		by[o.GetKind()] = append(by[o.GetKind()], name(o))
	}
	var all []condition
	for kind, names := range by {
		slices.Sort(names)
		all = append(all, condition{
			kind: "kuadrant.io/" + kind + "Affected", holds: true, reason: "Accepted", generation: of.GetGeneration(),
			message: fmt.Sprintf("Object affected by %s [%s]", kind, strings.Join(names, ", ")),
		})
	}
	return all
}

func (p *pass) gatewayStatus(s *site) map[string]any {
	g, generation := s.gateway, s.gateway.GetGeneration()
	workload := g.GetName() + "-istio"
	host := workload + "." + g.GetNamespace() + ".svc.cluster.local"
	programmed := condition{
		kind: "Programmed", reason: "AddressNotAssigned", generation: generation,
		message: fmt.Sprintf("Assigned to service(s) %s:80, but failed to assign to all requested addresses: address pending for hostname %q", host, host),
	}
	status := map[string]any{}
	if address := p.address(g.GetNamespace(), workload); address != nil {
		programmed.holds, programmed.reason = true, "Programmed"
		programmed.message = fmt.Sprintf("Resource programmed, assigned to service(s) %s:80", host)
		status["addresses"] = []any{address}
	}
	accepted := condition{kind: "Accepted", holds: true, reason: "Accepted", message: "Resource accepted", generation: generation}
	status["conditions"] = p.conditionsOf(conditions(g), append(affected(s.policies, g), accepted, programmed)...)
	ready := condition{kind: "Programmed", holds: p.available(g.GetNamespace(), workload), reason: "Programmed", message: noErrors, generation: generation}
	if !ready.holds {
		ready.reason, ready.message = "Pending", "Deployment "+workload+" is not available"
	}
	before := map[string]map[string]any{}
	for _, listener := range list(g.Object, "status", "listeners") {
		before[text(listener, "", "name")] = listener
	}
	listeners := []any{}
	for _, listener := range list(g.Object, "spec", "listeners") {
		called := text(listener, "", "name")
		listeners = append(listeners, map[string]any{
			"name": called, "attachedRoutes": int64(len(s.routes)),
			"conditions": p.conditionsOf(list(before[called], "conditions"), append(
				affected(s.policies, g), ready,
				condition{kind: "Accepted", holds: true, reason: "Accepted", message: noErrors, generation: generation},
				condition{kind: "Conflicted", reason: "NoConflicts", message: noErrors, generation: generation},
				condition{kind: "ResolvedRefs", holds: true, reason: "ResolvedRefs", message: noErrors, generation: generation},
			)...),
			"supportedKinds": []any{map[string]any{"group": gateways.Group, "kind": httpRoutes.kind}},
		})
	}
	status["listeners"] = listeners
	return status
}

const noErrors = "No errors found"

// address is what a load balancer has assigned, nil where there is none.
func (p *pass) address(namespace, service string) map[string]any {
	s := p.objects.get(services, namespace, service)
	if s == nil {
		return nil
	}
	for _, ingress := range list(s.Object, "status", "loadBalancer", "ingress") {
		if ip := text(ingress, "", "ip"); ip != "" {
			return map[string]any{"type": "IPAddress", "value": ip}
		}
		if host := text(ingress, "", "hostname"); host != "" {
			return map[string]any{"type": "Hostname", "value": host}
		}
	}
	return nil
}

func (p *pass) routeStatus(route *unstructured.Unstructured) map[string]any {
	generation := route.GetGeneration()
	before := func(controller, parent string) []map[string]any {
		for _, entry := range list(route.Object, "status", "parents") {
			if entry["controllerName"] == controller && text(entry, "", "parentRef", "name") == parent {
				return list(entry, "conditions")
			}
		}
		return nil
	}
	parents := []any{}
	for _, ref := range list(route.Object, "spec", "parentRefs") {
		for _, s := range p.sites {
			if !isParent(ref, route, s.gateway) {
				continue
			}
			parent := s.gateway.GetName()
			if acting := affected(s.policies, route); len(acting) > 0 {
				full := map[string]any{"group": gateways.Group, "kind": gateways.kind, "name": parent, "namespace": s.gateway.GetNamespace()}
				parents = append(parents, map[string]any{
					"controllerName": kuadrantController, "parentRef": full,
					"conditions": p.conditionsOf(before(kuadrantController, parent), acting...),
				})
			}
			parents = append(parents, map[string]any{
				"controllerName": istioController, "parentRef": ref,
				"conditions": p.conditionsOf(before(istioController, parent),
					condition{kind: "Accepted", holds: true, reason: "Accepted", message: "Route was valid", generation: generation},
					condition{kind: "ResolvedRefs", holds: true, reason: "ResolvedRefs", message: "All references resolved", generation: generation},
				),
			})
		}
	}
	return map[string]any{"parents": parents}
}

const (
	kuadrantController = "kuadrant.io/policy-controller"
	istioController    = "istio.io/gateway-controller"
)

// policyStatus says whether a policy is accepted and in force, in the words of
// the real operator (vectors of the cluster, timeline).
func (p *pass) policyStatus(o *unstructured.Unstructured) map[string]any {
	kind := o.GetKind()
	accepted := condition{kind: "Accepted", holds: true, reason: "Accepted", message: kind + " has been accepted"}
	enforced := condition{kind: "Enforced", holds: true, reason: "Enforced", message: kind + " has been successfully enforced"}
	missing, off := p.standing(o)
	all := []condition{accepted, enforced}
	switch {
	case p.kuadrant == nil:
		all = []condition{{kind: "Accepted", reason: "MissingResource", message: "kuadrant is not installed"}}
	case off != nil:
		all = []condition{*off}
	case len(missing) > 0:
		enforced = condition{kind: "Enforced", reason: "Unknown", message: kind + " " + missing[0]}
		all = []condition{accepted, enforced}
	}
	return map[string]any{"conditions": p.conditionsOf(conditions(o), all...), "observedGeneration": o.GetGeneration()}
}

// standing is why a policy is not in force yet, or why it is not accepted.
func (p *pass) standing(o *unstructured.Unstructured) (missing []string, off *condition) {
	targeted := false
	var behind []string
	for _, s := range p.sites {
		if !s.targetedBy(o) {
			continue
		}
		targeted = true
		var wrong []string
		for _, problem := range s.problems[kube.Name(o)] {
			// Without a route it waits for one.
			if problem.Field == "spec.targetRef" {
				missing = append(missing, "is not in the path to any existing routes")
				continue
			}
			wrong = append(wrong, problemText(problem))
		}
		if len(wrong) > 0 {
			return nil, &condition{kind: "Accepted", reason: "Invalid", message: strings.Join(wrong, "; ")}
		}
		behind = append(behind, p.behind(s, o)...)
	}
	if !targeted {
		return nil, &condition{
			kind: "Accepted", reason: "TargetNotFound",
			message: fmt.Sprintf("%s target %s was not found", o.GetKind(), text(o.Object, "", "spec", "targetRef", "name")),
		}
	}
	if len(missing) == 0 && len(behind) > 0 {
		slices.Sort(behind)
		missing = append(missing, "waiting for the following components to sync: ["+strings.Join(slices.Compact(behind), " ")+"]")
	}
	return missing, nil
}

func problemText(problem *policy.Error) string {
	said := *problem
	said.File, said.Line = "", 0
	return strings.TrimPrefix(said.Error(), ":0: ")
}

// behind are the components that do not have a policy yet.
func (p *pass) behind(s *site, o *unstructured.Unstructured) []string {
	var found []string
	switch o.GetKind() {
	case authPolicies.kind:
		if !p.authorizerCurrent(s) {
			found = append(found, "Authorino")
		}
	case rateLimitPolicies.kind, tokenLimitPolicies.kind, planPolicies.kind:
		if !p.limiterCurrent() {
			found = append(found, "Limitador")
		}
	}
	wanted, err := p.wantedFilters(s)
	for _, filter := range wanted {
		live := p.objects.get(envoyFilters, filter.GetNamespace(), filter.GetName())
		if live == nil || !covers(live.Object, filter.Object) {
			found = append(found, "EnvoyFilter ("+name(filter)+")")
		}
	}
	if err != nil {
		found = append(found, "EnvoyFilter")
	}
	return found
}

func (p *pass) authorizerCurrent(s *site) bool {
	wanted, err := s.authConfigs()
	for _, o := range wanted {
		live := p.objects.get(authConfigs, o.GetNamespace(), o.GetName())
		if live == nil || !covers(live.Object, o.Object) {
			return false
		}
	}
	return err == nil && p.available(p.namespace(), authorinoName)
}

// limiterCurrent tells whether the limits are in the ConfigMap and each ready pod
// of the limiter was told. That the pods have them is not known here: the real
// operator does not know it either.
func (p *pass) limiterCurrent() bool {
	cr := p.objects.get(limitadors, p.namespace(), limitadorName)
	limits := p.objects.get(configMaps, p.namespace(), "limitador-limits-config-"+limitadorName)
	if cr == nil || limits == nil || !p.available(p.namespace(), "limitador-"+limitadorName) {
		return false
	}
	content, err := p.limitsOf(cr)
	if err != nil || nested(limits.Object, "data", limitsKey) != content {
		return false
	}
	for _, pod := range p.readyPods(cr) {
		if pod.GetAnnotations()[limitsAnnotation] != limits.GetResourceVersion() {
			return false
		}
	}
	return true
}
