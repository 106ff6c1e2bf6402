package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A tier", Label("rule:moved-tier"), func() {
	It("is not entered with a group whose name contains the tier's", Serial, Case("I09"), func(ctx SpecContext) {
		lookalike := bed.EnrollOutsider(ctx, policy.LookalikeGroup)
		refused := bed.Set().Refuses(policy.LookalikeGroup)
		if !refused && len(lookalike.Limits) == 0 {
			bed.NotJudged("the policy serves a caller of an unknown group without a limit")
		}

		hits := bed.Fire(ctx, attack.Attack{As: lookalike, Hits: moreThanQuotaOf(lookalike), Pacer: attack.OneAtATime})

		if refused {
			Expect(judgeRefused(ctx, bed, hits, oracle.Want{Statuses: []int{403}}, oracle.AllRefused)).To(Hold())
			return
		}
		Expect(bed.Judge(ctx, lookalike, oracle.NeverFree)).To(Hold())
	})

	It("applies, with its quota unused, to who was moved into it", Case("I11"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)
		promoted, secret, err := bed.Set().Move(alice, bed.Largest().Name)
		if err != nil {
			bed.NotJudged("%v", err)
		}
		if len(except(promoted.Limits, alice.Limits)) < len(promoted.Limits) {
			bed.NotJudged("tiers %s and %s share a limit, and who moves takes along what was counted", alice.Tier, promoted.Tier)
		}

		bed.Fire(ctx, pastQuota(alice, 2))
		// A limiter that is wrong about alice tells nothing of the move.
		Expect(bed.Judge(ctx, alice, boundary...)).To(Hold())
		done := bed.Do(ctx, bed.PutSecret(secret))
		bed.Wait(ctx, done+harness.KeyBudget, "the budget of a changed Secret")
		hits := bed.Fire(ctx, pastQuota(promoted, 3))

		moved := bed.JudgeAbout(ctx, promoted, hits, oracle.Want{Formerly: alice.Limits}, oracle.MovedTier)
		if moved.Verdict() != reports.Fail {
			// Under the old tier's limits these would blame the limiter.
			moved = append(moved, bed.Judge(ctx, promoted, oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.Served)...)
		}
		Expect(moved).To(Hold())
	})
})
