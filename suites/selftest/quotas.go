package selftest

import (
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// largeFactor makes quotas large enough to matter and small enough to be used up
// by a lane that gates pull requests.
const largeFactor = 4

// WithSmallQuotas is the policy with quotas of 1, 2, 3 … in their old order.
func WithSmallQuotas(set *policy.Set) (*policy.Set, error) {
	var quotas []int64
	for _, limit := range limitsOf(set) {
		quotas = append(quotas, limit.Quota)
	}
	slices.Sort(quotas)
	quotas = slices.Compact(quotas)
	return withQuotas(set, func(quota int64) int64 { return int64(slices.Index(quotas, quota)) + 1 })
}

// WithLargeQuotas is the policy with every quota some times as large.
func WithLargeQuotas(set *policy.Set) (*policy.Set, error) {
	return withQuotas(set, func(quota int64) int64 { return largeFactor * quota })
}

func withQuotas(set *policy.Set, change func(int64) int64) (*policy.Set, error) {
	for _, limit := range limitsOf(set) {
		changed, err := set.WithQuotas([]tier.Limit{limit}, change(limit.Quota))
		if err != nil {
			return nil, err
		}
		set = changed
	}
	return set, nil
}

// limitsOf are the limits of all tiers, each once.
func limitsOf(set *policy.Set) []tier.Limit {
	var limits []tier.Limit
	seen := map[string]bool{}
	for _, t := range set.Tiers() {
		for _, limit := range t.Limits {
			if key := limit.Policy + " " + limit.Name + " " + limit.String(); !seen[key] {
				seen[key] = true
				limits = append(limits, limit)
			}
		}
	}
	return limits
}
