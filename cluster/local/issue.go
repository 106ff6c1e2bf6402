package local

import (
	"context"
	"fmt"

	"github.com/floodgate-dev/floodgate/cluster/probe"
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
		return probe.KeyKnown(ctx, v.Authorizer, set, identity)
	})
	if err != nil {
		return fmt.Errorf("issue %s: %w", identity, err)
	}
	return nil
}
