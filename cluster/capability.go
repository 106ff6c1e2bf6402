package cluster

import (
	"context"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// IdentityIssuer puts identities in force that no counter has seen.
type IdentityIssuer interface {
	// Issue applies a Secret's manifest to a variant and returns once the
	// authorizer knows the key, without spending the identity's quota.
	Issue(ctx context.Context, variant string, identity tier.Identity, secret []byte) error
}

// Restarter stops and starts one component.
type Restarter interface {
	Restart(ctx context.Context, component string) error
}
