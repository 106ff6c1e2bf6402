package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// countedOn are the rules of a caller who fires on when the gateway is another.
var countedOn = []string{oracle.CountsOn, oracle.NoUnderrun, oracle.DenialsAre429, oracle.Served, oracle.Reconciled}

// severalGateways is how many gateways share a limiter.
const severalGateways = 2

var _ = Describe("A gateway", Label("rule:no-overrun"), func() {
	It("that is restarted in the middle of a window counts on", Serial, harness.On(harness.Restarts), Case("S07"), func(ctx SpecContext) {
		restarts := bed.On(harness.Restarts)
		t := lastingTier(restarts, 1)
		alice, bob := restarts.Enroll(ctx, t.Name), restarts.Enroll(ctx, t.Name)

		restarts.Fire(ctx, pastQuota(alice, 1), pastQuota(bob, -min(1, int(bob.Quota())-1)))
		asked, done := restarts.DoIfAble(ctx, restarts.RestartGateway())
		restarts.Fire(ctx, pastQuota(alice, 2), pastQuota(bob, 3))

		change := oracle.Change{What: "the gateway was restarted", Asked: asked, Done: done, Owner: reports.Gateway}
		all := restarts.JudgeChange(ctx, alice, change, countedOn...)
		Expect(append(all, restarts.JudgeChange(ctx, bob, change, countedOn...)...)).To(Hold())
	})

	It("shares every counter with the others", Serial, harness.On(harness.Edits), Case("C04"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		t := lastingTier(edits, 1)
		if edits.Replicas(ctx, harness.Gateway) < severalGateways {
			edits.DoIfAble(ctx, edits.Scale(ctx, harness.Gateway, severalGateways))
		}
		scout, alice := edits.Enroll(ctx, t.Name), edits.Enroll(ctx, t.Name)

		edits.FireThrough(ctx, edits.EveryGatewayAsked(), harness.AtOnce, 0, onNewConnections(everySecond(scout)))
		edits.Fire(ctx, onNewConnections(attack.Attack{As: alice, Hits: int(alice.Quota()) + burst, Pacer: attack.Together}))

		Expect(judgeAll(ctx, edits, []tier.Identity{scout, alice}, underLoad...)).To(Hold())
	})
})

var _ = Describe("A burst", Label("rule:one-counter"), func() {
	It("that two limiters share the calls of is found to have a counter in each", Serial, harness.On(harness.Edits), Case("C05"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		t := lastingTier(edits, 1)
		limiters := len(edits.Accounts(ctx))
		if limiters == 1 {
			limiters = 2
			edits.DoIfAble(ctx, edits.Scale(ctx, harness.Limiter, limiters))
		}
		scout := edits.Enroll(ctx, t.Name)
		edits.FireThrough(ctx, edits.EveryLimiterAsked(), harness.AtOnce, 0, onNewConnections(everySecond(scout)))
		alice := edits.Enroll(ctx, t.Name)
		before := edits.Accounts(ctx)

		edits.Fire(ctx, onNewConnections(attack.Attack{As: alice, Hits: 2*limiters*int(alice.Quota()) + burst, Pacer: attack.Together}))

		Expect(edits.JudgeReplicas(ctx, alice, before, oracle.UnsharedIsFound, oracle.DenialsAre429)).To(Hold())
	})
})
