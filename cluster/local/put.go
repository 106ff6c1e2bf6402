package local

import (
	"context"
	"fmt"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

var _ cluster.PolicyPutter = (*attached)(nil)

// PutPolicy writes what a policy means where the components look for it, and
// waits for none of them: there is no operator here that would tell a status.
func (a *attached) PutPolicy(_ context.Context, variant string, set *policy.Set) error {
	_, files, err := a.variant(variant)
	if err != nil {
		return err
	}
	if _, err := files.gatewayChanges(set); err != nil {
		return fmt.Errorf("put a policy before %s: %w", variant, err)
	}
	if err := files.write(set); err != nil {
		return fmt.Errorf("put a policy before %s: %w", variant, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sets[variant] = set
	return nil
}
