package main

import (
	"errors"
	"fmt"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// withShapes is a policy with the limits that it seldom has, where these can stand
// beside its own.
func withShapes(set *policy.Set) *policy.Set {
	if shaped, err := set.WithShapes(); err == nil {
		return shaped
	}
	return set
}

// remade is a policy as a variant changes its routes, its callers' rights or
// its expressions. A policy that cannot be changed so has no such variant.
func remade(set *policy.Set, variant string) (*policy.Set, error) {
	makers := map[string]func() (*policy.Set, error){
		harness.Hostname:    set.WithHostname,
		harness.Unguarded:   set.WithoutAuthorization,
		harness.AbsentLabel: set.WithAbsentLabel,
		harness.ByModel:     set.WithModelLimits,
		harness.Tokens:      set.WithTokenLimits,
		harness.Shapes:      set.WithShapesAndRoutes,
		harness.Several:     set.WithSeveralLimits,
		harness.Moved:       set.WithMoreRoutes,
	}
	maker, ok := makers[variant]
	if !ok {
		return nil, errors.New("it is unknown how to make it")
	}
	made, err := maker()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoVariant, err)
	}
	return made, nil
}
