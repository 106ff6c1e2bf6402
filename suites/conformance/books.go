package conformance

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// manyDenied is enough denied hits to find a leak of 3 % with 99 % power.
const manyDenied = 150

var _ = Describe("The books", Label("rule:reconciled"), func() {
	It("of the limiter agree with every caller", Case("M01"), func(ctx SpecContext) {
		callers := twoOfEachTier(ctx, bed)

		bed.Fire(ctx, differently(callers)...)

		Expect(judgeAll(ctx, bed, callers, oracle.Reconciled, oracle.PrometheusAgrees)).To(Hold())
	})

	It("of the gateway agree with the callers", Serial, Case("M03"), func(ctx SpecContext) {
		alice, hits := manyDenials(ctx)
		strangers := bed.Fire(ctx, attack.Attack{Anonymous: true, Hits: 7, Pacer: attack.OneAtATime})

		all := bed.JudgeHits(ctx, hits.And(strangers), oracle.Want{}, oracle.GatewayAgrees)
		all = append(all, bed.Judge(ctx, alice, boundary...)...)
		Expect(all).To(Hold())
	})

	It("of the backend hold every admitted hit and no denied one", Serial, Case("M04"), func(ctx SpecContext) {
		// One is denied many times, the other admitted many times.
		alice, _ := manyDenials(ctx)
		bob := bed.Enroll(ctx, bed.Tiers()[len(bed.Tiers())-1].Name)
		bed.Fire(ctx, pastQuota(bob, 4))

		Expect(judgeAll(ctx, bed, []tier.Identity{alice, bob}, oracle.BackendAgrees, oracle.NoOverrun, oracle.NoUnderrun, oracle.Reconciled)).To(Hold())
	})

	It("do not count a path that the policy exempts, and only that", Serial, Case("M12"), func(ctx SpecContext) {
		var all harness.Judgement
		for _, path := range []string{"/v1/models", "/health", "/metrics"} {
			alice := bed.Enroll(ctx, bed.Smallest().Name)
			limits, reachable := bed.LimitsOn(alice, http.MethodGet, path)
			if !reachable {
				continue
			}
			alice.Limits = limits
			bed.Fire(ctx, attack.Attack{As: alice, Hits: reads(alice), Pacer: attack.OneAtATime, Target: attack.Target{Method: http.MethodGet, Path: path}})
			if len(alice.Limits) == 0 {
				all = append(all, bed.Judge(ctx, alice, oracle.AllAdmitted, oracle.Untouched)...)
				continue
			}
			all = append(all, bed.Judge(ctx, alice, oracle.NoOverrun, oracle.NoUnderrun, oracle.Reconciled)...)
		}
		if len(all) == 0 {
			bed.NotJudged("the policy routes no path that is usually exempt")
		}
		Expect(all).To(Hold())
	})
})

// manyDenials spends one quota and hammers on.
func manyDenials(ctx SpecContext) (tier.Identity, harness.Hits) {
	GinkgoHelper()
	alice := bed.Enroll(ctx, bed.Smallest().Name)
	return alice, bed.Fire(ctx, pastQuota(alice, manyDenied))
}

// reads is how many hits tell whether a path is metered for a caller.
func reads(who tier.Identity) int {
	if len(who.Limits) == 0 {
		return 20
	}
	return int(who.Quota()) + 3
}
