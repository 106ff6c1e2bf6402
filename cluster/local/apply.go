package local

import (
	"context"
	"fmt"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// Apply puts another policy in force in a variant: same gateway and routes,
// other limits, tiers or credentials. It returns once the limiter has exactly
// the policy's limits, the authorizer knows its hosts and keys, and the gateway
// has taken a changed configuration. Identities that were issued stay known.
func (a *attached) Apply(ctx context.Context, variant string, set *policy.Set) error {
	v, files, err := a.variant(variant)
	if err != nil {
		return err
	}
	if err := a.apply(ctx, v, files, set); err != nil {
		return fmt.Errorf("apply a policy to %s: %w", variant, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sets[variant] = set
	return nil
}

func (a *attached) apply(ctx context.Context, v cluster.Variant, files variantFiles, set *policy.Set) error {
	changed, err := files.gatewayChanges(set)
	if err != nil {
		return err
	}
	besides, err := files.namespaces()
	if err != nil {
		return err
	}
	before, err := a.configurations(ctx, v.Name)
	if err != nil {
		return err
	}
	if err := files.write(set); err != nil {
		return err
	}
	err = a.await(ctx, limiter, v.Name, func(ctx context.Context) error {
		limiters, err := a.Limiters(ctx, v.Name)
		if err != nil {
			return err
		}
		for _, base := range limiters {
			if err := probe.LimitsInForce(ctx, a.reader, base, set, besides...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = a.await(ctx, authorizer, v.Name, func(ctx context.Context) error {
		if err := probe.AuthConfigsInForce(ctx, v.Authorizer, set); err != nil {
			return err
		}
		for _, identity := range set.Identities() {
			if err := probe.KeyKnown(ctx, v.Authorizer, set, identity); err != nil {
				return fmt.Errorf("%s: %w", identity, err)
			}
		}
		return nil
	})
	if err != nil || !changed {
		return err
	}
	return a.await(ctx, gatewayComponent, v.Name, func(ctx context.Context) error {
		return a.noticed(ctx, v.Name, before)
	})
}
