package local

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy/wasmconfig"
)

const gatewayComponent = "gateway"

// gatewayPart is a variant's gateway, in front of its authorizer and limiter
// and of the shared backend.
func (u *upping) gatewayPart(v *variant, at reach) part {
	p := u.part(gatewayComponent, v.name)
	p.ports = []string{gatewayPort, gatewayAdminPort}
	endpoints := map[string]string{}
	for _, service := range v.files.gatewayConfig(v.set).Services {
		endpoints[service.Endpoint] = at.limiter
		if service.Type == wasmconfig.TypeAuth {
			endpoints[service.Endpoint] = at.authorizer
		}
	}
	p.args = func(ports map[string]int) []string {
		args := []string{
			"--config", v.files.wasmConfig(), "--routes", v.files.routes(),
			"--listen", hostPort(ports[gatewayPort]), "--admin", hostPort(ports[gatewayAdminPort]),
			"--upstream", at.backend,
		}
		if v.up.GatewayRetries > 0 {
			args = append(args, "--retries", strconv.Itoa(v.up.GatewayRetries))
		}
		for _, endpoint := range slices.Sorted(maps.Keys(endpoints)) {
			args = append(args, "--cluster", endpoint+"="+endpoints[endpoint])
		}
		return append(args, u.faultArgs(p)...)
	}
	p.ready = func(ctx context.Context, ports map[string]int) error {
		return probe.Answers(ctx, baseURL(ports[gatewayAdminPort])+"/ready")
	}
	p.waiting = func(ports map[string]int) string { return baseURL(ports[gatewayAdminPort]) + "/ready" }
	return p
}

func (u *upping) startGateway(ctx context.Context, v *variant) error {
	reach, err := u.reachOf(v)
	if err != nil {
		return err
	}
	r, err := u.stack.up(ctx, u.gatewayPart(v, reach))
	if err != nil {
		return err
	}
	v.up.Gateway = baseURL(r.ports[gatewayPort])
	v.up.GatewayStats = statsURL(r)
	if !v.scalable && v.gateways == 1 {
		return nil
	}
	if err := u.scaleGateways(v, reach, r); err != nil {
		return err
	}
	return u.stack.scale(ctx, r.part.name, v.gateways)
}
