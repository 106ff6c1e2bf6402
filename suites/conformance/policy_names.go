package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// exact is what holds for a caller who comes when an edit is in force, and whose
// books Prometheus has no time to tell.
var exact = []string{oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.DenialsAre429, oracle.Served, oracle.Reconciled}

const (
	// freedBudget is how long a policy that was deleted may still deny. An edit
	// took 0.8 s on a real installation.
	freedBudget = 3 * time.Second
	// manyEdits is how often policies are edited under load (cases.md P07).
	manyEdits = 50
)

var _ = Describe("A limit under another name", Label("rule:starts-anew"), func() {
	It("counts from 0, be it the limit or its policy that was renamed", Serial, harness.On(harness.Edits), Case("P05"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, editedTier(edits).Name)
		binding, _ := tier.Binding(alice.Limits)
		another, err := edits.Set().WithLimitRenamed(binding, "floodgate-renamed")
		all := supersedes(ctx, edits, alice, another, err, "the limit was renamed")

		carol := edits.Enroll(ctx, alice.Tier)
		another, err = edits.Set().WithPolicyRenamed(binding, "floodgate-renamed")
		all = append(all, supersedes(ctx, edits, carol, another, err, "the policy was renamed")...)
		Expect(all).To(Hold())
	})
})

// supersedes has a caller spend its quota, puts a policy under which another
// limit applies to it, and fires on until that denies too; somebody who comes
// later finds it exact.
func supersedes(ctx SpecContext, bed *harness.Bed, who tier.Identity, put *policy.Set, why error, what string) harness.Judgement {
	GinkgoHelper()
	edit := oracle.Edit{What: what, Budget: policyBudget, Formerly: who.Limits}
	after, change := bed.PutPolicy(put, why, &edit)

	bed.Fire(ctx, pastQuota(who, 1))
	after.FireThrough(ctx, change, harness.DeniedAgain(who), time.Second, everySecond(who))
	later := after.Enroll(ctx, who.Tier)
	after.Fire(ctx, pastQuota(later, 2))

	all := after.JudgeEdit(ctx, after.Under(who), edit, oracle.StartsAnew, oracle.ShownInTime, oracle.DenialsAre429, oracle.Served)
	all = append(all, after.JudgeCounters(ctx, after.Under(later), exact...)...)
	return append(all, after.JudgeBooks(ctx, oracle.Want{InForce: after.LimitsOfPolicy()}, oracle.LimitsInForce)...)
}

var _ = Describe("A predicate that is widened under load", Label("rule:no-early-reset"), func() {
	It("keeps the counters of whom it held for, and limits the newcomers", Serial, harness.On(harness.Edits), Case("P15"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		small, large := lastingTier(edits, 1), edits.Largest()
		alice, bob := edits.Enroll(ctx, small.Name), edits.Enroll(ctx, large.Name)
		trickle := slowlyUpTo(edits, bob, alice.Quota())
		widened, err := edits.Set().WithWidened(alice.Limits[0], bob.Limits[0])
		edit := oracle.Edit{What: "the predicate was widened", Budget: policyBudget}
		after, put := edits.PutPolicy(widened, err, &edit)

		edits.Fire(ctx, pastQuota(alice, 1))
		after.FireThrough(ctx, put, harness.SomebodyOf(bob, evidence.Denied), policyBudget+3*time.Second, trickle, everySecond(alice))

		all := after.JudgeEdit(ctx, after.Under(bob), edit, oracle.LimitsInTime, oracle.ShownInTime, oracle.DenialsAre429, oracle.Served)
		Expect(append(all, after.Judge(ctx, alice, oracle.NoOverrun, oracle.NoEarlyReset, oracle.DenialsAre429, oracle.Served)...)).To(Hold())
	})
})

// slowlyUpTo fires so slowly that the caller's own quota outlasts the budget of
// an edit, and fast enough for a smaller quota to be missed after it.
func slowlyUpTo(bed *harness.Bed, who tier.Identity, smaller int64) attack.Attack {
	GinkgoHelper()
	rate := int(who.Quota()) / 16
	if int64(3*rate) <= 2*smaller {
		bed.NotJudged("a quota of %d is not large enough beside one of %d to tell them apart under load", who.Quota(), smaller)
	}
	return attack.Attack{As: who, Hits: rate, Pacer: attack.Rate(float64(rate))}
}

var _ = Describe("A policy that is deleted under load", Label("rule:limits-gone"), func() {
	It("frees its callers within its budget and leaves neither limits nor counters", Serial, harness.On(harness.Edits), Case("P06"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, lastingTier(edits, 1).Name)
		edit := oracle.Edit{What: "the policy was deleted", Budget: freedBudget, Formerly: alice.Limits}
		after, put := edits.PutPolicy(edits.Set().WithoutRateLimits(), nil, &edit)

		edits.Fire(ctx, pastQuota(alice, 1))
		hits, asked, done := after.FireThrough(ctx, put, harness.Never, freedBudget+time.Second, everySecond(alice))

		freed := oracle.Want{Change: &oracle.Change{
			What: edit.What, Asked: asked, Done: done, Budget: freedBudget, Owner: reports.Gateway,
			Until: []evidence.Outcome{evidence.Denied}, Then: []evidence.Outcome{evidence.Admitted},
		}}
		all := after.JudgeAbout(ctx, alice, hits, freed, oracle.TakesEffect, oracle.Served)
		Expect(append(all, after.JudgeEdit(ctx, after.Under(alice), edit, oracle.LimitsGone, oracle.ShownInTime)...)).To(Hold())
	})
})

var _ = Describe("A policy that is edited again and again", Label("rule:all-denied"), func() {
	It("never lets a spent quota pass", Serial, harness.On(harness.Edits), Case("P07"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, lastingTier(edits, 1).Name)
		largest := edits.Largest()
		raised, err := edits.Set().WithQuotas(largest.Limits, largest.Quota()+raisedBy)
		alternate := edits.Alternate(raised, err, manyEdits)

		edits.Fire(ctx, pastQuota(alice, 1))
		hits, _, _ := edits.FireThrough(ctx, alternate, harness.AtOnce, time.Second, attack.Attack{As: alice, Hits: replacedAt, Pacer: attack.Rate(replacedAt)})

		all := edits.JudgeAbout(ctx, alice, hits, oracle.Want{}, oracle.AllDenied, oracle.DenialsAre429, oracle.Served)
		all = append(all, edits.Judge(ctx, alice, oracle.Reconciled)...)
		Expect(append(all, edits.JudgeBooks(ctx, oracle.Want{InForce: edits.LimitsOfPolicy()}, oracle.LimitsInForce)...)).To(Hold())
	})
})

var _ = Describe("An edit that cannot be read", Label("rule:refusal-told"), func() {
	It("leaves the limits in force that it would have replaced, and is told of by the limiter", Serial, harness.On(harness.Edits), Case("P08"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice, bob := edits.Enroll(ctx, lastingTier(edits, 1).Name), edits.Enroll(ctx, lastingTier(edits, 1).Name)
		unreadable, err := edits.Set().WithUnreadableLimit(alice.Limits[0])
		edit := oracle.Edit{What: "a limit was added that the limiter cannot read", Budget: policyBudget}
		put := edits.PutUnreadable(unreadable, err, &edit)

		edits.Fire(ctx, pastQuota(alice, 1))
		hits, _, _ := edits.FireThrough(ctx, put, harness.AtOnce, time.Second, everySecond(alice))
		edits.Fire(ctx, pastQuota(bob, 2))

		all := edits.JudgeAbout(ctx, alice, hits, oracle.Want{}, oracle.AllDenied, oracle.DenialsAre429, oracle.Served)
		all = append(all, edits.JudgeEdit(ctx, bob, edit, append([]string{oracle.RefusalTold}, exact...)...)...)
		Expect(append(all, edits.JudgeBooks(ctx, oracle.Want{InForce: edits.LimitsOfPolicy()}, oracle.LimitsInForce)...)).To(Hold())
	})

	It("of the filter's configuration leaves the old one in force", Serial, harness.On(harness.Edits), Case("P17"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice, bob := edits.Enroll(ctx, lastingTier(edits, 1).Name), edits.Enroll(ctx, lastingTier(edits, 1).Name)
		// One is no JSON, the other names a service that is not declared.
		push := harness.Both(
			edits.PushFilterConfig(`{"actionSets": [}`),
			edits.PushFilterConfig(`{"actionSets": [{"name": "a", "routeRuleConditions": {"hostnames": ["*"]}, "actions": [{"service": "floodgate-nosuch", "scope": "a"}]}]}`))

		edits.Fire(ctx, pastQuota(alice, 1))
		hits, _, _ := edits.FireThrough(ctx, push, harness.AtOnce, time.Second, everySecond(alice))
		edits.Fire(ctx, pastQuota(bob, 2))

		all := edits.JudgeAbout(ctx, alice, hits, oracle.Want{}, oracle.AllDenied, oracle.DenialsAre429, oracle.Served)
		Expect(append(all, edits.Judge(ctx, bob, exact...)...)).To(Hold())
	})
})

var _ = Describe("Policies on a Gateway and on its route", Label("rule:starts-anew"), func() {
	It("give way to the route's where the Gateway's are defaults", Serial, harness.On(harness.Edits), Case("P10"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, lastingTier(edits, 1).Name)

		own, err := edits.Set().WithRival(alice.Limits[0], policy.Defaults, raisedBy)

		Expect(supersedes(ctx, edits, alice, own, err, "the route got a policy of its own")).To(Hold())
	})

	It("give way to the Gateway's where those are overrides", Serial, harness.On(harness.Edits), Case("P09"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		free := lastingTier(edits, 1)
		own, err := edits.Set().WithRival(free.Limits[0], policy.Defaults, raisedBy)
		over, overErr := edits.Set().WithRival(free.Limits[0], policy.Overrides, raisedBy)
		rivals := edits.Edit(ctx, own, err)
		alice := rivals.Under(rivals.Enroll(ctx, free.Name))

		Expect(supersedes(ctx, rivals, alice, over, overErr, "the Gateway's policy became an override")).To(Hold())
	})

	It("are both in force where they are merged", Serial, harness.On(harness.Edits), Case("P11"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		free := lastingTier(edits, 2)
		alice := edits.Enroll(ctx, free.Name)
		joined, err := edits.Set().WithRival(alice.Limits[0], policy.Merged, 0)
		edit := oracle.Edit{What: "a route's policy was merged with the Gateway's", Budget: policyBudget}
		after, put := edits.PutPolicy(joined, err, &edit)

		edits.Fire(ctx, pastQuota(alice, 1))
		hits, _, _ := after.FireThrough(ctx, put, harness.AtOnce, time.Second, everySecond(alice))
		bob := after.Under(after.Enroll(ctx, free.Name))
		after.Fire(ctx, pastQuota(bob, 2))

		all := after.JudgeAbout(ctx, alice, hits, oracle.Want{}, oracle.AllDenied, oracle.DenialsAre429, oracle.Served)
		all = append(all, after.JudgeEdit(ctx, bob, edit, append([]string{oracle.ShownInTime}, exact...)...)...)
		Expect(append(all, after.JudgeBooks(ctx, oracle.Want{InForce: after.LimitsOfPolicy()}, oracle.LimitsInForce)...)).To(Hold())
	})
})
