package conformance

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A limit", Label("rule:metered"), func() {
	It("is not escaped by what cannot be evaluated", Serial, harness.On(harness.Unguarded), harness.On(harness.AbsentLabel), harness.On(harness.Policy), Case("I17"), func(ctx SpecContext) {
		all := append(withoutGroups(ctx), withoutLabel(ctx)...)
		if len(all) == 0 {
			bed.NotJudged("no limit and no metric label of the policy can fail for a caller who is let through")
		}
		Expect(all).To(Hold())
	})

	It("that reads the body is enforced", Serial, harness.On(harness.ByModel), harness.On(harness.Policy), Case("T17"), func(ctx SpecContext) {
		byModel := bed.On(harness.ByModel)
		alice, secret := bed.Recruit(bed.Largest().Name)
		alice.Limits = append(alice.Limits, limitNamed(byModel, policy.ModelLimit)...)
		byModel.Admit(ctx, alice, secret)

		byModel.Fire(ctx, pastQuota(alice, 5))

		Expect(byModel.Judge(ctx, alice, oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.Served, oracle.Metered)).To(Hold())
	})
})

// withoutGroups is what happens to a caller for whom the limits' predicates
// cannot be evaluated and whom the authorizer lets through.
func withoutGroups(ctx SpecContext) harness.Judgement {
	GinkgoHelper()
	if !bed.Has(harness.Unguarded) || !bed.On(harness.Unguarded).Set().Unevaluable(policy.MissingGroup) {
		return nil
	}
	unguarded := bed.On(harness.Unguarded)
	hits := bed.MoreThanAnyQuota()
	if everybodyMay(unguarded.Set().Tiers(), hits) {
		return nil
	}
	nobody := unguarded.EnrollOutsider(ctx, policy.MissingGroup)

	unguarded.Fire(ctx, attack.Attack{As: nobody, Hits: hits, Pacer: attack.OneAtATime})

	return unguarded.Judge(ctx, nobody, oracle.Metered)
}

// everybodyMay tells whether a limit that is everybody's lets so many hits pass: they
// are served and counted, and whether another limit applies is not seen.
func everybodyMay(tiers []tier.Tier, hits int) bool {
	return slices.ContainsFunc(tiers, func(t tier.Tier) bool {
		return slices.ContainsFunc(t.Limits, func(l tier.Limit) bool {
			return l.Unit == tier.Hits && l.Shared() && l.Quota >= int64(hits)
		})
	})
}

// withoutLabel is what happens to a caller for whom a metric label cannot be
// evaluated, while the limits can.
func withoutLabel(ctx SpecContext) harness.Judgement {
	GinkgoHelper()
	if !bed.Has(harness.AbsentLabel) {
		return nil
	}
	labelled := bed.On(harness.AbsentLabel)
	alice, secret := bed.Recruit(bed.Smallest().Name)
	labelled.Admit(ctx, alice, secret)

	labelled.Fire(ctx, pastQuota(alice, 3))

	return labelled.Judge(ctx, alice, oracle.Metered, oracle.NoOverrun, oracle.NoUnderrun, oracle.DenialsAre429, oracle.Reconciled)
}

// limitNamed are the limits of a name that a bed's policy declares.
func limitNamed(bed *harness.Bed, name string) []tier.Limit {
	for _, t := range bed.Set().Tiers() {
		for _, l := range t.Limits {
			if l.Name == name {
				return []tier.Limit{l}
			}
		}
	}
	bed.NotJudged("the policy declares no limit %s", name)
	return nil
}
