package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/fixtures/policy/wasmconfig"
)

// serviceType is Istio's annotation for the type of a Gateway's Service.
const serviceType = "networking.istio.io/service-type"

// gatewayPort is the one that the gateway's stand-in serves, whatever ports its
// listeners have.
const gatewayPort = 80

// gatewayWorkloads make of each Gateway what istiod makes of it.
func (p *pass) gatewayWorkloads(ctx context.Context) error {
	var errs []error
	for _, s := range p.sites {
		errs = append(errs, p.gatewayWorkload(ctx, s.gateway))
	}
	return errors.Join(errs...)
}

func (p *pass) gatewayWorkload(ctx context.Context, gateway *unstructured.Unstructured) error {
	n := names{Namespace: gateway.GetNamespace(), Name: gateway.GetName(), Class: text(gateway.Object, "", "spec", "gatewayClassName")}
	objects, err := render("gateway.yaml", n, gateway, false)
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range objects {
		switch o.GetKind() {
		case "Deployment":
			c := container(o)
			c["image"] = p.options.image
			c["args"] = append([]any{"--gateway", name(gateway)}, p.options.faultArgs("gateway")...)
		case "Service":
			fillGatewayService(o, gateway)
		}
		_, err := p.ensure(ctx, o)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// fillGatewayService adds a port for each port of the listeners.
func fillGatewayService(o, gateway *unstructured.Unstructured) {
	spec, _ := nested(o.Object, "spec").(map[string]any)
	ports, _ := spec["ports"].([]any)
	seen := map[int64]bool{}
	for _, listener := range list(gateway.Object, "spec", "listeners") {
		port := number(listener, "port")
		if seen[port] {
			continue
		}
		seen[port] = true
		ports = append(ports, map[string]any{
			"name": text(listener, "", "name"), "appProtocol": "http", "port": port, "protocol": "TCP", "targetPort": int64(gatewayPort),
		})
	}
	spec["ports"] = ports
	if asked := gateway.GetAnnotations()[serviceType]; asked != "" {
		spec["type"] = asked
	}
}

// filters make the EnvoyFilters of each Gateway. Without a Kuadrant object the
// filter goes and the two clusters stay (vectors of the cluster, timeline).
func (p *pass) filters(ctx context.Context) error {
	var errs []error
	for _, s := range p.sites {
		errs = append(errs, p.filtersOf(ctx, s))
	}
	return errors.Join(errs...)
}

func (p *pass) filtersOf(ctx context.Context, s *site) error {
	wanted, err := p.wantedFilters(s)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	var errs []error
	for _, o := range wanted {
		keep[o.GetName()] = true
		_, err := p.ensure(ctx, o)
		errs = append(errs, err)
	}
	for _, prefix := range filterNames() {
		if p.kuadrant == nil && prefix != wasmFilter {
			continue
		}
		if filter := prefix + s.gateway.GetName(); !keep[filter] {
			errs = append(errs, p.drop(ctx, envoyFilters, p.objects.get(envoyFilters, s.gateway.GetNamespace(), filter)))
		}
	}
	return errors.Join(errs...)
}

const (
	authFilter  = "kuadrant-auth-"
	limitFilter = "kuadrant-ratelimiting-"
	wasmFilter  = "kuadrant-"
)

func filterNames() []string { return []string{authFilter, limitFilter, wasmFilter} }

// wantedFilters are the EnvoyFilters that a Gateway is to have now.
func (p *pass) wantedFilters(s *site) ([]*unstructured.Unstructured, error) {
	if p.kuadrant == nil || s.set == nil {
		return nil, nil
	}
	config, found := s.set.WasmConfigs()[name(s.gateway)]
	if !found {
		return nil, nil
	}
	content, err := configuration(config)
	if err != nil {
		return nil, err
	}
	n := names{Namespace: s.gateway.GetNamespace(), Name: s.gateway.GetName(), Kuadrant: p.namespace(), Config: content}
	objects, err := render("filters.yaml", n, s.gateway, true)
	if err != nil {
		return nil, err
	}
	var wanted []*unstructured.Unstructured
	for _, o := range objects {
		switch o.GetName() {
		case authFilter + n.Name:
			if !calls(config, wasmconfig.TypeAuth) {
				continue
			}
		case limitFilter + n.Name:
			if !calls(config, wasmconfig.TypeRateLimit, wasmconfig.TypeRateLimitCheck, wasmconfig.TypeRateLimitReport) {
				continue
			}
		}
		wanted = append(wanted, o)
	}
	return wanted, nil
}

// calls tells whether an action goes to a service of one of these types.
func calls(config wasmconfig.Config, types ...string) bool {
	for _, set := range config.ActionSets {
		for _, action := range set.Actions {
			if slices.Contains(types, config.Services[action.Service].Type) {
				return true
			}
		}
	}
	return false
}

// configuration is a filter's configuration as a JSON string that holds JSON,
// the members sorted as the operator has them.
func configuration(config wasmconfig.Config) (string, error) {
	content, err := json.Marshal(wasmconfig.Patient(config))
	if err != nil {
		return "", fmt.Errorf("a filter's configuration: %w", err)
	}
	var sorted any
	if err := json.Unmarshal(content, &sorted); err != nil {
		return "", err
	}
	if content, err = json.Marshal(sorted); err != nil {
		return "", err
	}
	quoted, err := json.Marshal(string(content))
	return string(quoted), err
}

// authConfigs make what the authorizer follows, and remove what is not wanted
// any more. Without a Kuadrant object they stay (vectors of the cluster,
// timeline).
func (p *pass) authConfigs(ctx context.Context) error {
	if p.kuadrant == nil {
		return nil
	}
	keep := map[string]bool{}
	var errs []error
	for _, s := range p.sites {
		wanted, err := s.authConfigs()
		errs = append(errs, err)
		for _, o := range wanted {
			keep[name(o)] = true
			_, err := p.ensure(ctx, o)
			errs = append(errs, err)
		}
	}
	for _, o := range p.live(authConfigs) {
		if !keep[name(o)] && o.GetLabels()["kuadrant.io/managed"] == "true" {
			errs = append(errs, p.drop(ctx, authConfigs, o))
		}
	}
	return errors.Join(errs...)
}

func (s *site) authConfigs() ([]*unstructured.Unstructured, error) {
	if s.set == nil {
		return nil, nil
	}
	var wanted []*unstructured.Unstructured
	for _, config := range s.set.AuthConfigs() {
		content, err := json.Marshal(config)
		if err != nil {
			return nil, err
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(content); err != nil {
			return nil, err
		}
		mark(o)
		wanted = append(wanted, o)
	}
	return wanted, nil
}

// strays removes what belongs to Gateways that are gone. The garbage collector
// would too, half a minute later.
func (p *pass) strays(ctx context.Context) error {
	var errs []error
	for _, r := range made() {
		for _, o := range p.live(r) {
			for _, owner := range o.GetOwnerReferences() {
				if owner.Kind != gateways.kind || o.GetLabels()[standInLabel] != "true" {
					continue
				}
				if g := p.objects.get(gateways, o.GetNamespace(), owner.Name); g == nil || g.GetUID() != owner.UID {
					errs = append(errs, p.drop(ctx, r, o))
				}
			}
		}
	}
	return errors.Join(errs...)
}
