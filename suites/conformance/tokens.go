package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// answerBudget is how long an answer to a short prompt may take to its end.
const answerBudget = 5 * time.Second

var _ = Describe("A limit on tokens", Label("rule:tokens-spent"), func() {
	It("beside one on hits lets the stricter bind", harness.On(harness.Tokens), harness.On(harness.Policy), Case("T10"), func(ctx SpecContext) {
		tokens := bed.On(harness.Tokens)
		alice, carol := tokens.Enroll(ctx, tokens.Smallest().Name), tokens.Enroll(ctx, tierWith(tokens, policy.ScarceTokens).Name)
		scarce, _ := limitOf(carol.Limits, policy.ScarceTokens)

		tokens.Fire(ctx, pastQuota(alice, 3))
		spent := tokens.Fire(ctx, attack.Attack{As: carol, Hits: int(scarce.Quota) + 8, Pacer: attack.OneAtATime})

		all := tokens.JudgeAbout(ctx, carol, spent, oracle.Want{}, oracle.TokensSpent)
		all = append(all, tokens.Judge(ctx, alice, oracle.NoOverrun, oracle.DenialsAre429)...)
		Expect(all).To(Hold())
	})

	It("does not hold back the end of an answer without usage", harness.On(harness.Tokens), harness.On(harness.Policy), Case("T15"), func(ctx SpecContext) {
		tokens := bed.On(harness.Tokens)
		alice := tokens.Enroll(ctx, tokens.Largest().Name)
		streamed := tokens.Asking(ctx, map[string]any{"stream": true})
		refused := tokens.Asking(ctx, map[string]any{"model": "floodgate-no-such-model"})
		refused.Bodies = append(refused.Bodies, streamed.Bodies...)
		attacks := []attack.Attack{
			{As: alice, Name: "streamed", Hits: 2, Target: streamed}, {As: alice, Name: "refused", Hits: 2, Target: refused},
		}
		if straight, ok := tokens.Straight(refused); ok {
			attacks = append(attacks, attack.Attack{Anonymous: true, Name: "straight", Hits: 2, Target: straight})
		}

		var hits harness.Hits
		for _, a := range attacks {
			a.Pacer, a.Timeout = attack.OneAtATime, answerBudget
			hits = hits.And(tokens.Fire(ctx, a))
		}

		Expect(tokens.JudgeHits(ctx, hits, oracle.Want{Straight: "straight"}, oracle.AnswersEnd)).To(Hold())
	})
})

// tierWith is a tier with callers to whom a limit of a name applies.
func tierWith(bed *harness.Bed, name string) tier.Tier {
	GinkgoHelper()
	for _, t := range bed.Tiers() {
		if _, ok := limitOf(t.Limits, name); ok {
			return t
		}
	}
	bed.NotJudged("the limit %s applies to no tier with callers", name)
	return tier.Tier{}
}

func limitOf(limits []tier.Limit, name string) (tier.Limit, bool) {
	for _, l := range limits {
		if l.Name == name {
			return l, true
		}
	}
	return tier.Limit{}, false
}
