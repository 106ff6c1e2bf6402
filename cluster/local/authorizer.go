package local

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
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
			return reachable(ctx, hostPort(ports[authorizerPort]))
		}
		return authConfigsInForce(ctx, hostPort(ports[authorizerPort]), v.set)
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

// authConfigsInForce returns nil if the authorizer knows every AuthConfig's
// host. While the real one starts it answers 404, then 401 with the reason {}
// (vectors of Authorino 0.26.2, start-up).
func authConfigsInForce(ctx context.Context, address string, set *policy.Set) error {
	for _, config := range set.AuthConfigs() {
		for _, host := range config.Spec.Hosts {
			answer, err := check(ctx, address, checkRequest(host, set.Request(), nil))
			if err != nil {
				return err
			}
			if answer.status == http.StatusNotFound || answer.status == http.StatusUnauthorized && answer.reason == "{}" {
				return fmt.Errorf("AuthConfig %s for host %s: the authorizer answers %d %q", config.Metadata.Name, host, answer.status, answer.reason)
			}
		}
	}
	return nil
}
