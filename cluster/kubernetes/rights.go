package kubernetes

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// Right is a group of things that a run may have to be allowed to do.
type Right string

// The rights.
const (
	Secrets      Right = "make, change and delete Secrets"
	Policies     Right = "change rate-limit and authentication policies"
	MakeVariants Right = "make namespaces, Gateways and routes"
	EndPods      Right = "delete the components' pods"
	ScalePods    Right = "scale the components"
	Interfere    Right = "change Services and start pods before them"
	Forwards     Right = "forward ports to pods"
	Logs         Right = "read logs and events"
)

// Rights say why something may not be done; what is not in it may be.
type Rights map[Right]string

// Lacks says why a right is missing, nil if it is not.
func (r Rights) Lacks(right Right) error {
	if why, lacks := r[right]; lacks {
		return fmt.Errorf("may not %s: %s", right, why)
	}
	return nil
}

// needed is what each right consists of, in the names of the API server.
func needed(site Site) map[Right][]authorizationv1.ResourceAttributes {
	kuadrant := site.Namespace
	attributes := func(namespace, group, resource, subresource string, verbs ...string) []authorizationv1.ResourceAttributes {
		var all []authorizationv1.ResourceAttributes
		for _, verb := range verbs {
			all = append(all, authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: group, Resource: resource, Subresource: subresource})
		}
		return all
	}
	const gateways, policies = "gateway.networking.k8s.io", "kuadrant.io"
	return map[Right][]authorizationv1.ResourceAttributes{
		Secrets: attributes("", "", "secrets", "", "create", "get", "update", "delete"),
		Policies: append(attributes("", policies, "ratelimitpolicies", "", "create", "get", "update", "delete"),
			attributes("", policies, "authpolicies", "", "create", "get", "update", "delete")...),
		MakeVariants: append(append(attributes("", "", "namespaces", "", "create", "get", "patch", "delete"),
			attributes("", gateways, "gateways", "", "create", "patch")...),
			attributes("", gateways, "httproutes", "", "create", "patch")...),
		EndPods: attributes(kuadrant, "", "pods", "", "delete"),
		ScalePods: append(attributes(kuadrant, "apps", "deployments", "", "patch"),
			attributes(kuadrant, "limitador.kuadrant.io", "limitadors", "", "patch")...),
		Interfere: append(attributes(kuadrant, "", "services", "", "create", "patch", "delete"),
			attributes(kuadrant, "", "pods", "", "create", "delete")...),
		Forwards: attributes(kuadrant, "", "pods", "portforward", "create"),
		Logs:     append(attributes(kuadrant, "", "pods", "log", "get"), attributes(kuadrant, "", "events", "", "list")...),
	}
}

// RightsOf asks the API server what may be done. Reading only takes all rights
// that change something.
func RightsOf(ctx context.Context, c *kube.Cluster, site Site, readOnly bool) (Rights, error) {
	rights := Rights{}
	for right, all := range needed(site) {
		if readOnly && right != Forwards && right != Logs {
			rights[right] = "--read-only"
			continue
		}
		for _, attributes := range all {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes}}
			answer, err := c.Client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err != nil {
				return nil, fmt.Errorf("ask what may be done in the cluster: %w", err)
			}
			if !answer.Status.Allowed {
				resource := attributes.Resource
				if attributes.Subresource != "" {
					resource += "/" + attributes.Subresource
				}
				rights[right] = fmt.Sprintf("the right to %s %s is missing", attributes.Verb, resource)
				break
			}
		}
	}
	return rights, nil
}

// Lacks says why a capability is missing here.
func (s *System) Lacks(capability any) error {
	rights := s.state.Rights
	switch capability.(type) {
	case *cluster.IdentityIssuer, *cluster.SecretEditor:
		return rights.Lacks(Secrets)
	case *cluster.PolicyPutter:
		return rights.Lacks(Policies)
	case *cluster.PolicyEditor:
		if err := rights.Lacks(Policies); err != nil {
			return err
		}
		return s.needs("limiter", s.state.Site.Limiter)
	case *cluster.Restarter, *cluster.Stopper, *cluster.Killer:
		return rights.Lacks(EndPods)
	case *cluster.Scaler:
		return rights.Lacks(ScalePods)
	case *cluster.Interferer:
		return cmp.Or(rights.Lacks(Interfere), s.needsImage(), rights.Lacks(Forwards))
	case *cluster.WorkerStarter:
		return cmp.Or(rights.Lacks(MakeVariants), s.needsImage(), rights.Lacks(Forwards))
	case *cluster.LimiterLister, *cluster.InstanceLister:
		if err := rights.Lacks(Forwards); err != nil {
			return err
		}
		return s.needs("limiter", s.state.Site.Limiter)
	case *cluster.GatewayLister:
		return rights.Lacks(Forwards)
	case *cluster.Diagnoser:
		return rights.Lacks(Logs)
	}
	return nil
}

// CapabilitiesOf is Capabilities for a site that is not opened.
func CapabilitiesOf(site Site, rights Rights) []cluster.Capability {
	return (&System{state: state{Site: site, Rights: rights}}).Capabilities()
}

func (s *System) needsImage() error {
	if s.state.Image == "" {
		return errors.New("no image of our own pods is known in this cluster: --pod-image names one")
	}
	return nil
}

func (s *System) needs(what string, w *Workload) error {
	if w == nil {
		return fmt.Errorf("the %s was not found: %s", what, s.state.Site.Missing[what])
	}
	return nil
}

// Capabilities lists what can be done and read here.
func (s *System) Capabilities() []cluster.Capability {
	var list []cluster.Capability
	add := func(name string, err error) {
		one := cluster.Capability{Name: name, Has: err == nil}
		if err != nil {
			one.Why = err.Error()
		}
		list = append(list, one)
	}
	site := s.state.Site
	add("issue fresh identities", s.Lacks((*cluster.IdentityIssuer)(nil)))
	add("variants of the policy", s.state.Rights.Lacks(MakeVariants))
	add("edit policies", s.Lacks((*cluster.PolicyEditor)(nil)))
	add("restart components", s.Lacks((*cluster.Restarter)(nil)))
	add("scale components", s.Lacks((*cluster.Scaler)(nil)))
	add("cut components off and slow them", s.Lacks((*cluster.Interferer)(nil)))
	add("logs and events", s.Lacks((*cluster.Diagnoser)(nil)))
	add("book of the limiter", s.Lacks((*cluster.LimiterLister)(nil)))
	add("book of the gateway", s.state.Rights.Lacks(Forwards))
	add("book of the backend", s.needs("model", site.Model))
	add("book of Prometheus", s.needs("prometheus", site.Prometheus))
	add("ask the authorizer", s.needs("authorizer", site.Authorizer))
	return list
}
