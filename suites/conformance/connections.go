package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// connectionBudget is how long after a policy was tightened a connection may
	// obey the old one. The edit's own 0.2 to 0.8 s (cases.md P01) are in it.
	connectionBudget = 2 * time.Second
	// longTightened is a window that outlasts the attack, so that nobody is
	// admitted again by a new one.
	longTightened = 10 * time.Second
)

var _ = Describe("A tightened policy", Label("rule:takes-effect"), func() {
	It("holds on new connections and on those that are open and in use", harness.On(harness.Tightened), harness.On(harness.Policy), Case("P16"), func(ctx SpecContext) {
		tightened := bed.On(harness.Tightened)
		t := lastingTier(tightened, 1)
		alice, bob := tightened.Enroll(ctx, t.Name), tightened.Enroll(ctx, t.Name)
		open, policy := tightened.ApplyPolicy(tightened.Set().WithoutRateLimits()), tightened.ApplyPolicy(tightened.Set())
		DeferCleanup(func(ctx SpecContext) error { return policy(ctx) })
		tightened.Do(ctx, open)
		before, after := probing(alice, "old-connection"), probing(bob, "new-connections")
		before.Connections, after.NoKeepAlive = 1, true

		hits, asked, done := tightened.FireWhile(ctx, policy, before, after)

		all := tightened.JudgeAbout(ctx, alice, hits.In(before.Name), limited("the policy was tightened under an open connection", asked, done), oracle.TakesEffect)
		all = append(all, tightened.JudgeAbout(ctx, bob, hits.In(after.Name), limited("the policy was tightened between connections", asked, done), oracle.TakesEffect)...)
		Expect(all).To(Hold())
	})
})

// lastingTier is a tier whose quota, of so many hits at least, is used up at once,
// for long enough.
func lastingTier(bed *harness.Bed, quota int64) tier.Tier {
	GinkgoHelper()
	for _, t := range bed.Tiers() {
		if lasting(t.Limits) && t.Quota() >= quota {
			return t
		}
	}
	bed.NotJudged("no tier has both a window of %s at least and a quota of %d to %d hits", longTightened, quota, probeRate-1)
	return tier.Tier{}
}

func lasting(limits []tier.Limit) bool {
	binding, _ := tier.Binding(limits)
	return binding.Window >= longTightened && binding.Quota < probeRate
}

func limited(what string, asked, done time.Duration) oracle.Want {
	return oracle.Want{Change: &oracle.Change{
		What: what, Asked: asked, Done: done, Budget: connectionBudget, Owner: reports.Gateway,
		Until: []evidence.Outcome{evidence.Admitted}, Then: []evidence.Outcome{evidence.Denied},
	}}
}
