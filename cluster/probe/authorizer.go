package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// reasonHeader is where Authorino says why it refuses.
const reasonHeader = "X-Ext-Auth-Reason"

// verdict is an authorizer's answer.
type verdict struct {
	// status is the HTTP status that the gateway would answer, 200 for OK.
	status int
	reason string
	// auth is what the gateway's filter gets to read as auth, of an OK.
	auth map[string]any
}

// check asks the authorizer about a request for an AuthConfig's host.
func check(ctx context.Context, address string, request *authv3.CheckRequest) (verdict, error) {
	connection, err := dial(address)
	if err != nil {
		return verdict{}, err
	}
	defer func() { _ = connection.Close() }()
	return ask(ctx, authv3.NewAuthorizationClient(connection), request)
}

func ask(ctx context.Context, authorizer authv3.AuthorizationClient, request *authv3.CheckRequest) (verdict, error) {
	answer, err := authorizer.Check(ctx, request)
	if err != nil {
		return verdict{}, err
	}
	denied := answer.GetDeniedResponse()
	if denied == nil {
		if code := answer.GetStatus().GetCode(); code != 0 {
			return verdict{}, fmt.Errorf("the authorizer denies with code %d and without an answer", code)
		}
		return verdict{status: http.StatusOK, auth: answer.GetDynamicMetadata().AsMap()}, nil
	}
	v := verdict{status: int(denied.GetStatus().GetCode())}
	for _, option := range denied.GetHeaders() {
		if strings.EqualFold(option.GetHeader().GetKey(), reasonHeader) {
			v.reason = option.GetHeader().GetValue()
		}
	}
	return v, nil
}

// AuthConfigsInForce returns nil if the authorizer knows every AuthConfig's
// host. While the real one starts it answers 404, then 401 with the reason {}
// (vectors of Authorino 0.26.2, start-up).
func AuthConfigsInForce(ctx context.Context, address string, set *policy.Set) error {
	for _, config := range set.AuthConfigs() {
		for _, host := range config.Spec.Hosts {
			answer, err := check(ctx, address, checkRequest(host, Shown{Request: set.Request()}))
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

// KeyKnown returns nil if the authorizer takes the identity's key for one of
// its own on any host: it may still forbid its owner.
func KeyKnown(ctx context.Context, address string, set *policy.Set, identity tier.Identity) error {
	last := errors.New("the policy has no AuthConfig: there is nobody to know a key")
	for _, config := range set.AuthConfigs() {
		for _, host := range config.Spec.Hosts {
			answer, err := check(ctx, address, checkRequest(host, ShownBy(identity, set.Request())))
			if err != nil {
				return err
			}
			if answer.status != http.StatusUnauthorized && answer.status != http.StatusNotFound {
				return nil
			}
			last = fmt.Errorf("the authorizer at %s answers %d %q", address, answer.status, answer.reason)
		}
	}
	return last
}
