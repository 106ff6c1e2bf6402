package conformance

import (
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
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
		if window < leastTold {
			headers.NotJudged("the limits that bind have windows below %s here: a header of whole seconds cannot be seen to lie about them", leastTold)
		}
		alice := callers[0]

		spent := headers.Fire(ctx, keeping(pastQuota(alice, 1)))
		headers.Wait(ctx, spent.FirstAnswered()+window/2, "the middle of the window")
		headers.Fire(ctx, keeping(attack.Attack{As: alice, Hits: 1, Pacer: attack.OneAtATime}))
		headers.Wait(ctx, spent.FirstAnswered()+window+afterEdge, "the end of the window")
		headers.Fire(ctx, keeping(pastQuota(alice, 1)))

		Expect(headers.Judge(ctx, alice, oracle.ResetTold, oracle.Resets)).To(Hold())
	})

	It("tell of an end that the limiter keeps", harness.On(harness.Headers), Case("H04"), func(ctx SpecContext) {
		headers := bed.On(harness.Headers)
		alice := headers.Enroll(ctx, withOneLimit(headers).Name)

		denied := headers.Fire(ctx, keeping(pastQuota(alice, 1)))
		sent, answered, rest := denied.Told("X-RateLimit-Reset")
		headers.Wait(ctx, sent+rest-time.Second, "a second before the end that was told")
		headers.Fire(ctx, keeping(attack.Attack{As: alice, Hits: 1, Pacer: attack.OneAtATime}))
		headers.Wait(ctx, answered+rest+afterTold, "the end that was told")
		headers.Fire(ctx, keeping(pastQuota(alice, 1)))

		Expect(headers.Judge(ctx, alice, oracle.ResetKept, oracle.NoUnderrun)).To(Hold())
	})

	It("list every limit that applies, the scarcest first", harness.On(harness.Several), Case("H05"), func(ctx SpecContext) {
		several := bed.On(harness.Several)
		alice := several.Enroll(ctx, withSeveralLimits(several).Name)

		several.Fire(ctx, keeping(pastQuota(alice, 2)))

		Expect(several.Judge(ctx, alice, oracle.RemainingTold, oracle.NoOverrun)).To(Hold())
	})

	It("of the client's own are not trusted, and not sent back", harness.On(harness.Headers), Case("H10"), func(ctx SpecContext) {
		headers := bed.On(harness.Headers)
		alice := headers.Enroll(ctx, headers.Smallest().Name)
		spoofed := map[string]string{"X-RateLimit-Limit": "424242", "X-RateLimit-Remaining": "424241", "X-RateLimit-Reset": "424240"}
		claiming := keeping(pastQuota(alice, 2))
		claiming.Header = http.Header{}
		for name, value := range spoofed {
			claiming.Header.Set(name, value)
		}

		hits := headers.Fire(ctx, claiming)

		all := headers.JudgeHits(ctx, hits, oracle.Want{Spoofed: spoofed}, oracle.SpoofIgnored)
		if all.Verdict() != reports.Fail {
			// With the client's beside the limiter's these would blame the limiter.
			all = append(all, headers.Judge(ctx, alice, oracle.RemainingTold, oracle.NoOverrun)...)
		}
		Expect(all).To(Hold())
	})
})

// afterTold is how long after the end that a header told a hit must be admitted:
// the header is cut to whole seconds.
const afterTold = 1050 * time.Millisecond

// leastTold is the shortest window of which a header of whole seconds tells: a floor
// and the limiter's own reading of the clock make a second's difference each.
const leastTold = 3 * time.Second

// withOneLimit is a tier of one limit, withSeveralLimits one of more that others do
// not draw on.
func withOneLimit(bed *harness.Bed) tier.Tier {
	return tierOf(bed, func(limits []tier.Limit) bool { return len(limits) == 1 }, "every tier has several limits")
}

func withSeveralLimits(bed *harness.Bed) tier.Tier {
	return tierOf(bed, severalOwn, "no tier has several limits, each counted by the caller: of a counter that others draw on it is not known what is left")
}

func severalOwn(limits []tier.Limit) bool {
	return len(limits) > 1 && !slices.ContainsFunc(limits, tier.Limit.Shared)
}

func tierOf(bed *harness.Bed, fits func([]tier.Limit) bool, otherwise string) tier.Tier {
	GinkgoHelper()
	for _, t := range bed.Tiers() {
		if fits(t.Limits) {
			return t
		}
	}
	bed.NotJudged("%s", otherwise)
	return tier.Tier{}
}

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
