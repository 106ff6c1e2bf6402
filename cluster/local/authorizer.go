package local

import (
	"context"
	"strconv"

	"github.com/floodgate-dev/floodgate/cluster/probe"
)

const authorizer = "authorino"

// authorizerPart is a variant's authorizer.
func (u *upping) authorizerPart(v *variant) part {
	p := u.part(authorizer, v.name)
	p.ports = []string{authorizerPort}
	p.args = func(ports map[string]int) []string {
		return append([]string{
			"--bind", loopback, "--ext-auth-grpc-port", strconv.Itoa(ports[authorizerPort]),
			"--metrics-addr", "", "--health-probe-addr", "",
			"--authconfigs", v.files.authConfigs(), "--secrets", v.files.secrets(),
		}, u.faultArgs(p)...)
	}
	p.ready = func(ctx context.Context, ports map[string]int) error {
		if len(p.faults) > 0 {
			return probe.Reachable(ctx, hostPort(ports[authorizerPort]))
		}
		return probe.AuthConfigsInForce(ctx, hostPort(ports[authorizerPort]), v.set)
	}
	p.waiting = func(ports map[string]int) string {
		return "an answer about each AuthConfig's host on " + hostPort(ports[authorizerPort])
	}
	return p
}

func (u *upping) startAuthorizer(ctx context.Context, v *variant) error {
	r, err := u.stack.up(ctx, u.authorizerPart(v))
	if err != nil {
		return err
	}
	v.up.Authorizer = hostPort(r.ports[authorizerPort])
	return nil
}
