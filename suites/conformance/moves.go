package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A policy that is moved to another route under load", Label("rule:limits-gone"), func() {
	It("frees the old one within its budget, and limits the new one", Serial, harness.On(harness.Moved), Case("P12"), func(ctx SpecContext) {
		moved := bed.On(harness.Moved)
		alice, carol := moved.Enroll(ctx, lastingTier(moved, 1).Name), moved.Enroll(ctx, lastingTier(moved, 1).Name)
		limit, old := alice.Limits[0], takenRoute(moved)
		request := moved.Set().Request()
		first, err := moved.Set().WithPolicyOn(limit, alice, old, request)
		here := moved.Edit(ctx, first, err)
		limited, _ := here.LimitsFor(alice, request)
		second, err := moved.Set().WithPolicyOn(limit, alice, policy.SecondRoute, moved.Set().RoutedRequest(policy.SecondRoute))
		edit := oracle.Edit{What: "the policy was moved to another route", Budget: freedBudget, Formerly: limited}
		after, put := here.PutPolicy(second, err, &edit)

		here.Fire(ctx, pastQuota(alice, 1))
		// The request of a policy is the one that it limits: this one is still the old.
		hits, asked, done := here.FireThrough(ctx, put, harness.Never, freedBudget, everySecond(alice))
		freed := alice
		freed.Limits, _ = after.LimitsFor(alice, request)
		want := oracle.Want{Change: &oracle.Change{
			What: edit.What, Asked: asked, Done: done, Budget: freedBudget, Owner: reports.Gateway,
			Until: []evidence.Outcome{evidence.Denied}, Then: []evidence.Outcome{evidence.Admitted},
		}}
		all := after.JudgeAbout(ctx, freed, hits, want, oracle.TakesEffect, oracle.Served)
		all = append(all, after.JudgeEdit(ctx, freed, edit, oracle.LimitsGone, oracle.ShownInTime)...)
		there, elsewhere := onRoute(ctx, after, carol, policy.SecondRoute)
		all = append(all, fireApart(ctx, after, there, elsewhere(int(there.Quota())+3, attack.OneAtATime))...)

		Expect(append(all, after.JudgeBooks(ctx, oracle.Want{InForce: after.LimitsOfPolicy()}, oracle.LimitsInForce)...)).To(Hold())
	})
})

var _ = Describe("A route that is taken away under load", Label("rule:all-denied"), func() {
	It("takes its limits and counters along, and no other route's, which gets its hits", Serial, harness.On(harness.Moved), Case("P14"), func(ctx SpecContext) {
		moved := bed.On(harness.Moved)
		tier := lastingTier(moved, 1).Name
		alice, bob, carol := moved.Enroll(ctx, tier), moved.Enroll(ctx, tier), moved.Enroll(ctx, tier)
		there, elsewhere := onRoute(ctx, moved, bob, policy.SecondRoute)
		less, err := moved.Set().WithoutRoute(policy.SecondRoute)
		edit := oracle.Edit{What: "the route was taken away", Budget: policyBudget, Formerly: there.Limits}
		after, put := moved.PutPolicy(less, err, &edit)

		moved.Fire(ctx, pastQuota(alice, 1), elsewhere(int(there.Quota())+2, attack.OneAtATime))
		hits, _, _ := after.FireThrough(ctx, put, harness.AtOnce, 0, everySecond(alice))

		all := after.JudgeAbout(ctx, alice, hits, oracle.Want{}, oracle.AllDenied, oracle.DenialsAre429, oracle.Served)
		all = append(all, after.JudgeEdit(ctx, bob, edit, oracle.LimitsGone, oracle.ShownInTime)...)
		fallen, onTheOther := onRoute(ctx, after, carol, policy.SecondRoute)
		all = append(all, fireApart(ctx, after, fallen, onTheOther(int(fallen.Quota())+3, attack.OneAtATime))...)

		Expect(append(all, after.JudgeBooks(ctx, oracle.Want{InForce: after.LimitsOfPolicy()}, oracle.LimitsInForce)...)).To(Hold())
	})
})

// takenRoute is the name of the route that takes the policy's request, with copies
// beside it.
func takenRoute(bed *harness.Bed) string {
	GinkgoHelper()
	name, err := bed.Set().TakenRoute()
	if err != nil {
		bed.NotJudged("%v", err)
	}
	return name
}
