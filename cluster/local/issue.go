package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// Issue writes the identity's Secret and waits until the authorizer knows the
// key. It asks the authorizer only, so no counter sees the identity.
func (a *attached) Issue(ctx context.Context, variant string, identity tier.Identity, secret []byte) error {
	v, files, err := a.variant(variant)
	if err != nil {
		return err
	}
	set, err := a.set(v)
	if err != nil {
		return fmt.Errorf("issue %s: %w", identity, err)
	}
	if err := files.writeSecret(secret); err != nil {
		return fmt.Errorf("issue %s: %w", identity, err)
	}
	err = a.await(ctx, authorizer, variant, func(ctx context.Context) error {
		return keyKnown(ctx, v.Authorizer, set, identity)
	})
	if err != nil {
		return fmt.Errorf("issue %s: %w", identity, err)
	}
	return nil
}

// keyKnown returns nil if the authorizer takes the identity's key for one of
// its own on any host: it may still forbid its owner.
func keyKnown(ctx context.Context, address string, set *policy.Set, identity tier.Identity) error {
	last := errors.New("the policy has no AuthConfig: there is nobody to know a key")
	for _, config := range set.AuthConfigs() {
		for _, host := range config.Spec.Hosts {
			answer, err := check(ctx, address, checkRequest(host, set.Request(), &identity))
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
