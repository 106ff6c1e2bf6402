package conformance

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// comebackBudget is how long after a limiter is ready again hits may pass
	// unlimited: a gateway uses its address 1.3 to 4.6 s later (vectors/cluster,
	// timeline).
	comebackBudget = 10 * time.Second
	// moreGateways is by how many gateways there are more for a while.
	moreGateways = 2
)

var _ = Describe("A limiter that is lost", Label("rule:comes-back"), func() {
	It("comes back with a fresh quota, and nobody fails meanwhile", Serial, harness.On(harness.Edits), Case("S01"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		t := lastingTier(edits, 1)
		alice, bob := edits.Enroll(ctx, t.Name), edits.Enroll(ctx, t.Name)
		lost := edits.LoseLimiter()

		edits.Fire(ctx, pastQuota(alice, 1))
		_, asked, done := edits.FireThrough(ctx, lost, harness.DeniedAgain(alice), comebackBudget+time.Second, everySecond(alice))
		all := edits.JudgeChange(ctx, alice, oracle.Change{
			What: "the limiter was taken away", Asked: asked, Done: done, Budget: comebackBudget, Owner: reports.Limiter,
		}, oracle.ComesBack)
		edits.Reopen()
		edits.Fire(ctx, pastQuota(bob, 3))
		Expect(append(all, edits.Judge(ctx, bob, boundary...)...)).To(Hold())
	})
})

var _ = Describe("Gateways that come and go", Label("rule:scaling-unseen"), func() {
	It("share every quota and fail nobody", Serial, harness.On(harness.Edits), Case("S08"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		t := lastingTier(edits, 1)
		was := edits.Replicas(ctx, harness.Gateway)
		more, fewer := edits.Scale(ctx, harness.Gateway, was+moreGateways), edits.Scale(ctx, harness.Gateway, was)
		alice, bob, carol := edits.Enroll(ctx, t.Name), edits.Enroll(ctx, t.Name), edits.Enroll(ctx, t.Name)

		_, asked, done := edits.FireThrough(ctx, more, harness.AtOnce, 0, onNewConnections(everySecond(alice)))
		up := scaled(was, was+moreGateways, asked, done)
		edits.Fire(ctx, onNewConnections(attack.Attack{As: bob, Hits: int(bob.Quota()) + burst, Pacer: attack.Callers(8)}))
		_, asked, done = edits.FireThrough(ctx, fewer, harness.AtOnce, 0, onNewConnections(everySecond(carol)))
		down := scaled(was+moreGateways, was, asked, done)

		all := edits.JudgeChange(ctx, alice, up, oracle.ScalingUnseen)
		all = append(all, edits.JudgeChange(ctx, carol, down, oracle.ScalingUnseen)...)
		Expect(append(all, judgeAll(ctx, edits, []tier.Identity{alice, bob, carol}, underLoad...)...)).To(Hold())
	})
})

var _ = Describe("A counter", Label("rule:one-counter"), func() {
	// On a system with one limiter the case asks whether the suite would notice
	// two. With more, it asks whether they share a counter.
	It("is one for all limiters, or is found to be one in each", Serial, harness.On(harness.Edits), Case("S09"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		t := lastingTier(edits, 1)
		rule, limiters := oracle.OneCounter, len(edits.Accounts(ctx))
		if limiters == 1 {
			rule, limiters = oracle.UnsharedIsFound, 2
			edits.DoIfAble(ctx, edits.Scale(ctx, harness.Limiter, limiters))
		}
		scout := edits.Enroll(ctx, t.Name)
		edits.FireThrough(ctx, edits.EveryLimiterAsked(), harness.AtOnce, 0, onNewConnections(everySecond(scout)))
		alice := edits.Enroll(ctx, t.Name)
		before := edits.Accounts(ctx)

		edits.Fire(ctx, onNewConnections(attack.Attack{As: alice, Hits: 2*limiters*int(alice.Quota()) + burst, Pacer: attack.Callers(8)}))

		Expect(edits.JudgeReplicas(ctx, alice, before, rule)).To(Hold())
	})
})

// onNewConnections has every hit open a connection of its own, so that all
// replicas behind one address get some.
func onNewConnections(a attack.Attack) attack.Attack {
	a.NoKeepAlive = true
	return a
}

func scaled(from, to int, asked, done time.Duration) oracle.Change {
	return oracle.Change{
		What: fmt.Sprintf("the gateway was scaled from %d to %d", from, to), Asked: asked, Done: done, Owner: reports.Gateway,
	}
}
