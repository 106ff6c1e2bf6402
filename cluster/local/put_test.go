package local

import (
	"testing"
)

// TestPolicyIsPut puts a policy with another quota, and does not wait for it.
func TestPolicyIsPut(t *testing.T) {
	_, attached, set := standing(t)
	limits := set.Tiers()[0].Limits
	quota := limits[0].Quota + 4
	edited, err := set.WithQuotas(limits, quota)
	if err != nil {
		t.Fatal(err)
	}
	base := attached.up.Variants[mainVariant].Limiters[0]

	if err := attached.PutPolicy(t.Context(), mainVariant, edited); err != nil {
		t.Fatal(err)
	}

	await(t, "the limiter to show the quota that was put", func() bool {
		shown, err := attached.reader.Limits(t.Context(), base, limits[0].Scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range shown {
			if limit.MaxValue == quota {
				return true
			}
		}
		return false
	})
	if err := attached.PutPolicy(t.Context(), "no-such-variant", edited); err == nil {
		t.Error("a policy was put before a variant that is not there")
	}
}
