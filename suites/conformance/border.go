package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// idleWindows is how many windows a caller stays away whose quota must be no
// larger afterwards.
const idleWindows = 3

var _ = Describe("The next window", Label("rule:border-burst"), func() {
	It("admits a whole quota right after most of the one before was kept until its end", harness.On(harness.Twin), Case("W04"), func(ctx SpecContext) {
		twin := bed.On(harness.Twin)
		alice := twin.Enroll(ctx, singleLimited(twin, 3).Name)
		window := windowOf(alice)
		one := attack.Attack{As: alice, Hits: 1, Pacer: attack.OneAtATime}
		rest, whole := pastQuota(alice, -1), pastQuota(alice, 0)

		opening := twin.Fire(ctx, one)
		twin.Wait(ctx, opening.FirstSent()+window*9/10, "the last tenth of the window")
		twin.Fire(ctx, rest)
		twin.Wait(ctx, opening.FirstAnswered()+window+afterEdge, "the end of the window")
		twin.Fire(ctx, whole)

		Expect(twin.Judge(ctx, alice, oracle.BorderBurst, oracle.NoUnderrun, oracle.Reconciled, oracle.PrometheusAgrees)).To(Hold())
	})

	It("of one caller leaves the other's alone", harness.On(harness.Twin), Case("W06"), func(ctx SpecContext) {
		twin := bed.On(harness.Twin)
		t := twin.Smallest()
		alice, bob := twin.Enroll(ctx, t.Name), twin.Enroll(ctx, t.Name)
		window := windowOf(alice)

		first := twin.Fire(ctx, pastQuota(alice, 1))
		twin.Wait(ctx, first.FirstSent()+window/2, "the middle of the window")
		twin.Fire(ctx, pastQuota(bob, 2))
		twin.Wait(ctx, first.FirstAnswered()+window+afterEdge, "the end of the window")
		twin.Fire(ctx, pastQuota(alice, 1), attack.Attack{As: bob, Hits: 3, Pacer: attack.OneAtATime})

		all := twin.Judge(ctx, alice, append(insideWindow, oracle.Resets)...)
		Expect(append(all, twin.Judge(ctx, bob, insideWindow...)...)).To(Hold())
	})

	It("grants no more to who has stayed away", harness.On(harness.Headers), Case("W07"), func(ctx SpecContext) {
		headers := bed.On(harness.Headers)
		alice := headers.Enroll(ctx, firstWith(headers, 2).Name)

		once := headers.Fire(ctx, attack.Attack{As: alice, Hits: 1, Pacer: attack.OneAtATime})
		headers.Wait(ctx, once.FirstAnswered()+idleWindows*windowOf(alice)+afterEdge, "some windows in which nothing is fired")
		headers.Fire(ctx, pastQuota(alice, 2))

		Expect(headers.Judge(ctx, alice, oracle.NoOverrun, oracle.NoUnderrun, oracle.Reconciled, oracle.PrometheusAgrees)).To(Hold())
	})
})

// singleLimited is the tier of the smallest quota that is at least so large,
// among those with one limit: a second one would deny what the first admits.
func singleLimited(bed *harness.Bed, quota int64) tier.Tier {
	GinkgoHelper()
	for _, t := range bed.Tiers() {
		if t.Quota() >= quota && len(t.Limits) == 1 {
			return t
		}
	}
	bed.NotJudged("no tier has one limit alone, of at least %d hits", quota)
	return tier.Tier{}
}
