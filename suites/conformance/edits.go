package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// raisedBy is by how many hits a quota is raised.
const raisedBy = 3

// replacements is how often a limits file is replaced in each way, and
// replacedAt how many hits a second are fired meanwhile.
const (
	replacements = 21
	replacedAt   = 50
)

var _ = Describe("An edit in the middle of a window", Label("rule:counters-tell"), func() {
	It("that lowers a quota below what is used denies at once", Serial, harness.On(harness.Edits), Case("P03"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, lastingTier(edits, 4).Name)
		used := int(min(alice.Quota()/2, 5))
		lowered, err := edits.Set().WithQuotas(alice.Limits, int64(used/2))

		before := edits.Fire(ctx, attack.Attack{As: alice, Hits: used, Pacer: attack.OneAtATime})
		// A window that the edit began anew would end by so much later.
		edits.Wait(ctx, before.LastAnswered()+3*time.Second, "a part of the window")
		after := edits.Edit(ctx, lowered, err)
		alice = after.Under(alice)
		denied := after.Fire(ctx, attack.Attack{As: alice, Hits: 3, Pacer: attack.OneAtATime})

		all := after.JudgeAbout(ctx, alice, before, oracle.Want{}, oracle.AllAdmitted)
		all = append(all, after.JudgeAbout(ctx, alice, denied, oracle.Want{}, oracle.AllDenied)...)
		all = append(all, after.JudgeCounters(ctx, alice, oracle.CountersTell, oracle.WindowTold)...)
		Expect(all).To(Hold())
	})
})

var _ = Describe("The limiter's own account of its counters", Label("rule:counters-tell"), func() {
	It("agrees with the hits, used up, exceeded and edited", Serial, harness.On(harness.Edits), Case("S11"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice, bob := edits.Enroll(ctx, firstWith(edits, 4).Name), edits.Enroll(ctx, firstWith(edits, 4).Name)
		lowered, err := edits.Set().WithQuotas(alice.Limits, 1)

		edits.Fire(ctx, attack.Attack{As: alice, Hits: int(alice.Quota()) / 2, Pacer: attack.OneAtATime})
		all := edits.JudgeCounters(ctx, alice, oracle.CountersTell)
		edits.Fire(ctx, pastQuota(bob, 3))
		all = append(all, edits.JudgeCounters(ctx, bob, oracle.CountersTell)...)
		after := edits.Edit(ctx, lowered, err)
		all = append(all, after.JudgeCounters(ctx, after.Under(alice), oracle.CountersTell)...)
		all = append(all, after.JudgeCounters(ctx, after.Under(bob), oracle.CountersTell)...)

		Expect(all).To(Hold())
	})

	It("shows no window that a refused hit has opened", Serial, harness.On(harness.Edits), Case("W14"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, edits.Smallest().Name)
		wider, err := edits.Set().WithWiderLimits()

		edits.Fire(ctx, pastQuota(alice, 0))
		after := edits.Edit(ctx, wider, err)
		alice = after.Under(alice)
		// Where a refusal opens windows at all, it does so in about half of the
		// calls (sut.md 2.1).
		after.Fire(ctx, attack.Attack{As: alice, Hits: 8, Pacer: attack.OneAtATime})

		Expect(after.JudgeCounters(ctx, alice, oracle.RefusalsOpenNothing)).To(Hold())
	})
})

var _ = Describe("A limits file that is replaced under load", Label("rule:limits-in-force"), func() {
	It("is in force each time and never lets a hit pass for free", Serial, harness.On(harness.Edits), Case("S14"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, edits.Smallest().Name)
		// What is raised is none of alice's: her quota stays, whichever file is in force.
		largest := edits.Largest()
		others := except(largest.Limits, alice.Limits)
		if len(others) == 0 {
			edits.NotJudged("tier %s has no limit that tier %s has not", largest.Name, alice.Tier)
		}
		raised, err := edits.Set().WithQuotas(others, others[0].Quota+raisedBy)
		now, next := edits.Edit(ctx, raised, err), edits

		edits.Fire(ctx, pastQuota(alice, 1))
		var all harness.Judgement
		for _, how := range []cluster.Replacement{cluster.Switched, cluster.RenamedOver, cluster.InPlace} {
			edits.FireWhile(ctx, now.ReplaceLimits(next, how, replacements), attack.Attack{As: alice, Hits: 2 * replacedAt, Pacer: attack.Rate(replacedAt)})
			all = append(all, next.JudgeBooks(ctx, oracle.Want{InForce: next.LimitsOfPolicy()}, oracle.LimitsInForce)...)
			now, next = next, now
		}

		Expect(append(all, edits.Judge(ctx, alice, oracle.NoOverrun, oracle.Served, oracle.Reconciled)...)).To(Hold())
	})
})
