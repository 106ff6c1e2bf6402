package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("Rate-limit headers", Label("rule:remaining-told"), func() {
	It("are not sent unless they are asked for", Case("H01"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)

		hits := bed.Fire(ctx, keeping(pastQuota(alice, 2)))

		Expect(bed.JudgeHits(ctx, hits, oracle.Want{NoHeaders: []string{"X-RateLimit-*"}}, oracle.AnswerForm)).To(Hold())
	})

	It("tell what is left", harness.On(harness.Headers), Case("H02"), func(ctx SpecContext) {
		headers := bed.On(harness.Headers)
		callers, _ := everyTier(ctx, headers)

		for _, caller := range callers {
			headers.Fire(ctx, keeping(pastQuota(caller, 2)))
		}

		Expect(judgeAll(ctx, headers, callers, oracle.RemainingTold, oracle.NoOverrun)).To(Hold())
	})

	It("tell when the window ends, in the next window too", harness.On(harness.Headers), Case("H03"), func(ctx SpecContext) {
		headers := bed.On(harness.Headers)
		callers, window := everyTier(ctx, headers)
		alice := callers[0]

		spent := headers.Fire(ctx, keeping(pastQuota(alice, 1)))
		headers.Wait(ctx, spent.FirstAnswered()+window/2, "the middle of the window")
		headers.Fire(ctx, keeping(attack.Attack{As: alice, Hits: 1, Pacer: attack.OneAtATime}))
		headers.Wait(ctx, spent.FirstAnswered()+window+afterEdge, "the end of the window")
		headers.Fire(ctx, keeping(pastQuota(alice, 1)))

		Expect(headers.Judge(ctx, alice, oracle.ResetTold, oracle.Resets)).To(Hold())
	})
})

// keeping is an attack that keeps the form of its answers.
func keeping(a attack.Attack) attack.Attack {
	a.KeepAnswers = true
	return a
}

// firstWith is the tier of the smallest quota that is at least so large.
func firstWith(bed *harness.Bed, quota int64) tier.Tier {
	GinkgoHelper()
	for _, t := range bed.Tiers() {
		if t.Quota() >= quota {
			return t
		}
	}
	bed.NotJudged("no tier has a quota of at least %d hits", quota)
	return tier.Tier{}
}
