package conformance

import (
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// except are the limits that others are not.
func except(limits, others []tier.Limit) []tier.Limit {
	return slices.DeleteFunc(slices.Clone(limits), func(l tier.Limit) bool { return slices.ContainsFunc(others, l.Same) })
}
