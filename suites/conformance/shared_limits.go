package conformance

import (
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// sameLimit tells whether two tiers' limits are one of the policy's: a caller of
// both has one counter of it.
func sameLimit(a, b tier.Limit) bool {
	return a.Policy == b.Policy && a.Name == b.Name && a.Scope == b.Scope && a.Window == b.Window
}

// except are the limits that others are not.
func except(limits, others []tier.Limit) []tier.Limit {
	return slices.DeleteFunc(slices.Clone(limits), func(l tier.Limit) bool {
		return slices.ContainsFunc(others, func(o tier.Limit) bool { return sameLimit(l, o) })
	})
}
