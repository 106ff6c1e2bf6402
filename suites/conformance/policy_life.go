package conformance

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// policyBudget is how long a policy may take to limit after its status says that
// it is enforced, and an edit to be shown by the limiters after it was put. A
// created policy took 6.4 s on a real installation, an edit 0.8 s (cases.md P01).
const policyBudget = 10 * time.Second

// everySecond fires evenly, a second's worth of hits a round.
func everySecond(who tier.Identity) attack.Attack {
	return attack.Attack{As: who, Hits: probeRate, Pacer: attack.Rate(probeRate)}
}

var _ = Describe("A policy that is created under load", Label("rule:limits-in-time"), func() {
	It("limits within its budget once its status says so", Serial, harness.On(harness.Edits), Case("P01"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, lastingTier(edits, 1).Name)
		created := oracle.Edit{What: "the policy was created", Budget: policyBudget}
		limited, put := edits.PutPolicy(edits.Set(), nil, &created)
		edits.Do(ctx, edits.ApplyPolicy(edits.Set().WithoutRateLimits()))

		limited.FireThrough(ctx, put, harness.SomebodyDenied, policyBudget+time.Second, everySecond(alice))

		Expect(limited.JudgeEdit(ctx, alice, created, oracle.LimitsInTime, oracle.ShownInTime, oracle.DenialsAre429, oracle.Served)).To(Hold())
	})
})

var _ = Describe("A policy that is edited under load", Label("rule:keeps-counters"), func() {
	It("admits the difference when its quota is raised", Serial, harness.On(harness.Edits), Case("P02"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, editedTier(edits).Name)
		binding, _ := tier.Binding(alice.Limits)
		raised, err := edits.Set().WithQuotas([]tier.Limit{binding}, binding.Quota+raisedBy)
		edit := oracle.Edit{What: "the quota was raised", Budget: policyBudget, Formerly: alice.Limits}
		after, put := edits.PutPolicy(raised, err, &edit)

		edits.Fire(ctx, pastQuota(alice, 1))
		after.FireThrough(ctx, put, harness.DeniedAgain(alice), time.Second, everySecond(alice))

		alice = after.Under(alice)
		all := after.JudgeEdit(ctx, alice, edit, oracle.KeepsCounters, oracle.ShownInTime, oracle.DenialsAre429, oracle.Served, oracle.Reconciled)
		Expect(append(all, after.JudgeCounters(ctx, alice, oracle.NoOverrun, oracle.CountersTell)...)).To(Hold())
	})

	It("counts from 0 when its window is changed", Serial, harness.On(harness.Edits), Case("P04"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, editedTier(edits).Name)
		halved, err := halfWindows(edits)
		edit := oracle.Edit{What: "the window was changed", Budget: policyBudget, Formerly: alice.Limits}
		after, put := edits.PutPolicy(halved, err, &edit)

		edits.Fire(ctx, pastQuota(alice, 1))
		after.FireThrough(ctx, put, harness.DeniedAgain(alice), time.Second, everySecond(alice))

		Expect(after.JudgeEdit(ctx, after.Under(alice), edit, oracle.StartsAnew, oracle.ShownInTime, oracle.DenialsAre429, oracle.Served, oracle.Reconciled)).To(Hold())
	})
})

// ceilingQuota is from how many hits on a limit of everybody's is one that no run
// reaches.
const ceilingQuota = 100_000

// editedTier is a lasting tier whose callers one limit alone can deny: of several it
// is not seen which has kept its counter through an edit.
func editedTier(bed *harness.Bed) tier.Tier {
	GinkgoHelper()
	for _, t := range bed.Tiers() {
		if lasting(t.Limits) && deniedByOne(t.Limits) {
			return t
		}
	}
	bed.NotJudged("no tier with a window of %s and a quota below %d hits has one limit alone that is counted by the caller: of several it is not told which has denied",
		longTightened, probeRate)
	return tier.Tier{}
}

// deniedByOne tells whether one limit alone, which counts for each caller, is not a
// ceiling.
func deniedByOne(limits []tier.Limit) bool {
	within := slices.DeleteFunc(slices.Clone(limits), func(l tier.Limit) bool {
		return l.Unit == tier.Hits && l.Shared() && l.Quota >= ceilingQuota
	})
	return len(within) == 1 && within[0].Unit == tier.Hits && !within[0].Shared()
}

// halfWindows is the bed's policy with its windows cut to half.
func halfWindows(bed *harness.Bed) (*policy.Set, error) {
	var longest time.Duration
	for _, t := range bed.Tiers() {
		for _, limit := range t.Limits {
			longest = max(longest, limit.Window)
		}
	}
	return bed.Set().Scaled(longest / 2)
}
