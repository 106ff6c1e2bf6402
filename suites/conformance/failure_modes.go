package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/interference"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// mendedBudget is how long after a limiter can be reached again hits may pass
	// unlimited: a gateway looks a name up every 5 s (vectors/cluster, timeline).
	mendedBudget = 10 * time.Second
	// coldHits are fired at a limiter that is slow after its start.
	coldHits = 20
	// lossShare is the share of segments that are lost either way, lossQuota how large
	// a quota tells that a hit was counted twice for it, and lossHits are fired past
	// it: of some 80 hits nearly every run has one that met a loss.
	lossShare = 0.05
	lossQuota = 20
	lossHits  = 30
	// briefly is how long a limiter is held still that is to be heard late.
	briefly = 150 * time.Millisecond
	// stall is for how long a busy machine may have a gateway stand still.
	stall = 3 * time.Second
)

// unheard are the rules of who fires while no call of the limiter is heard. That
// more passes than the quota is told, and blamed on nobody.
var unheard = []string{oracle.UnheardIsTold, oracle.Reconciled}

var _ = Describe("A limiter that is not heard", Label("rule:unheard-is-told"), func() {
	It("lets every hit pass, and the gateway tells of each", Serial, harness.On(harness.Faults), Case("F01"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		alice := faults.Enroll(ctx, lastingTier(faults, 1).Name)
		cut, _ := faults.CutOff(harness.Limiter)

		faults.Do(ctx, cut)
		faults.Fire(ctx, pastQuota(alice, 5))

		Expect(faults.JudgeFailing(ctx, alice, failing(faults, "the limiter was cut off", true), unheard...)).To(Hold())
	})

	It("lets nobody pass where the failure mode denies", Serial, harness.On(harness.Strict), Case("F02"), func(ctx SpecContext) {
		strict := bed.On(harness.Strict)
		alice := strict.Enroll(ctx, lastingTier(strict, 1).Name)
		cut, _ := strict.CutOff(harness.Limiter)

		strict.Do(ctx, cut)
		hits := strict.Fire(ctx, keeping(pastQuota(alice, 5)))

		all := strict.JudgeFailing(ctx, alice, failing(strict, "the limiter was cut off", true), oracle.UnheardIsTold)
		Expect(append(all, strict.JudgeHits(ctx, hits, filterError(), oracle.AllRefused, oracle.AnswerForm)...)).To(Hold())
	})

	It("because it is slow, lets hits pass that it counts all the same", Serial, harness.On(harness.Faults), Case("F03"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		alice := faults.Enroll(ctx, lastingTier(faults, 1).Name)
		slow, _ := faults.Interfere(harness.Limiter, tooLate(faults.Services().LimiterTimeout))

		faults.Do(ctx, slow)
		faults.Fire(ctx, attack.Attack{As: alice, Hits: int(alice.Quota()) + 10, Pacer: attack.Together})

		Expect(faults.JudgeFailing(ctx, alice, failing(faults, "the limiter was slow", false), unheard...)).To(Hold())
	})

	It("after its start alone, limits exactly from then on", Serial, harness.On(harness.Faults), Case("F04"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		t := lastingTier(faults, 1)
		scout, alice, bob := faults.Enroll(ctx, t.Name), faults.Enroll(ctx, t.Name), faults.Enroll(ctx, t.Name)
		slow, mend := faults.Interfere(harness.Limiter, tooLate(faults.Services().LimiterTimeout))

		faults.Do(ctx, faults.LoseLimiter())
		faults.FireThrough(ctx, faults.EveryLimiterAsked(), harness.AtOnce, 0, everySecond(scout))
		faults.Reopen()
		faults.Do(ctx, slow)
		faults.Fire(ctx, attack.Attack{As: alice, Hits: max(coldHits, int(alice.Quota())+1), Pacer: attack.Together})
		all := faults.JudgeFailing(ctx, alice, failing(faults, "the limiter was slow after its start", false), unheard...)
		faults.Do(ctx, mend)
		faults.Reopen()
		faults.Fire(ctx, pastQuota(bob, 3))

		Expect(append(all, faults.Judge(ctx, bob, boundary...)...)).To(Hold())
	})

	It("limits again once it is, and denies nobody for that", Serial, harness.On(harness.Faults), Case("F05"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		t := lastingTier(allowing(faults), 1)
		alice, bob := faults.Enroll(ctx, t.Name), faults.Enroll(ctx, t.Name)
		cut, mend := faults.CutOff(harness.Limiter)

		faults.Fire(ctx, pastQuota(alice, 1))
		faults.Do(ctx, cut)
		want, hits := limitsAgain(ctx, faults, alice, mend)
		all := faults.JudgeAbout(ctx, alice, hits, want, oracle.LimitsAgain)
		faults.Reopen()
		faults.Fire(ctx, pastQuota(bob, 3))

		Expect(append(all, faults.Judge(ctx, bob, boundary...)...)).To(Hold())
	})

	It("because it is asked for nobody's limits, has admitted nothing", Serial, harness.On(harness.Edits), Case("F06"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, lastingTier(edits, 1).Name)
		undecided := edits.AskForNoLimits()

		edits.Do(ctx, undecided)
		edits.Fire(ctx, pastQuota(alice, 5))

		Expect(edits.JudgeFailing(ctx, alice, failing(edits, "the limiter was called without a domain", true), oracle.UnheardIsTold, oracle.UndecidedUncounted)).To(Hold())
	})

	It("because there is none, is treated as the failure mode says", Serial, harness.On(harness.Edits), Case("F07"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		t := lastingTier(allowing(edits), 1)
		alice, scout := edits.Enroll(ctx, t.Name), edits.Enroll(ctx, t.Name)
		away, back := edits.LimiterAway(ctx)

		edits.DoIfAble(ctx, away)
		hits := edits.Fire(ctx, pastQuota(alice, 5))
		edits.Do(ctx, back)
		edits.FireThrough(ctx, edits.EveryLimiterAsked(), harness.AtOnce, 0, everySecond(scout))

		Expect(edits.JudgeAbout(ctx, alice, hits, oracle.Want{}, oracle.AllAdmitted)).To(Hold())
	})

	It("at once is heard all the same, and is exact", Serial, harness.On(harness.Faults), Case("F08"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		timeout := faults.Services().LimiterTimeout
		alice := faults.Enroll(ctx, lastingTier(faults, 1).Name)
		slow, _ := faults.Interfere(harness.Limiter, cluster.NetworkFault{Delay: timeout / 20, Jitter: timeout * 3 / 100})

		faults.Do(ctx, slow)
		faults.Fire(ctx, pastQuota(alice, 3))

		Expect(faults.Judge(ctx, alice, append(boundary, oracle.GatewayAgrees)...)).To(Hold())
	})

	It("behind a network that loses one segment in twenty is heard late, and counts each hit once", Serial, harness.On(harness.Faults), Case("F09"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		alice := faults.Enroll(ctx, firstWith(faults, lossQuota).Name)
		lossy, _ := faults.Interfere(harness.Limiter, cluster.NetworkFault{Loss: lossShare})
		what := failing(faults, "the limiter was behind a network that loses segments", false)
		what.Least = interference.Retransmit

		faults.Do(ctx, lossy)
		faults.Fire(ctx, pastQuota(alice, lossHits))

		Expect(faults.JudgeFailing(ctx, alice, what, append([]string{oracle.NoUnderrun}, unheard...)...)).To(Hold())
	})

	It("because it stands still is late for some and unheard by others, and counts none twice", Serial, harness.On(harness.Faults), Case("F13"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		timeout := faults.Services().LimiterTimeout
		alice, bob := faults.Enroll(ctx, lastingTier(faults, 1).Name), faults.Enroll(ctx, lastingTier(faults, 1).Name)

		faults.FireThrough(ctx, faults.Pause(harness.Limiter, briefly), harness.AtOnce, 0, everySecond(alice))
		all := faults.JudgeFailing(ctx, alice, failing(faults, "the limiter stood still for a moment", false), unheard...)
		faults.Reopen()
		faults.FireThrough(ctx, faults.Pause(harness.Limiter, timeout+timeout/2), harness.AtOnce, 0, everySecond(bob))
		all = append(all, faults.JudgeFailing(ctx, bob, failing(faults, "the limiter stood still", false), unheard...)...)

		Expect(all).To(Hold())
	})
})

var _ = Describe("An authorizer that is late", Label("rule:all-refused"), func() {
	It("lets nobody in, and spends nothing", Serial, harness.On(harness.Faults), Case("A09"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		alice := faults.Enroll(ctx, lastingTier(faults, 1).Name)
		slow, _ := faults.Interfere(harness.Authorizer, tooLate(faults.Services().AuthorizerTimeout))

		faults.Do(ctx, slow)
		hits := faults.Fire(ctx, keeping(attack.Attack{As: alice, Hits: int(alice.Quota()) + 3, Pacer: attack.Together}))

		Expect(judgeRefused(ctx, faults, hits, filterError(), oracle.AllRefused, oracle.AnswerForm, oracle.Untouched)).To(Hold())
	})
})

var _ = Describe("A model that is not reached", Label("rule:failures-spend"), func() {
	It("fails hits that are counted once and not given back", Serial, harness.On(harness.Faults), Case("F10"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		alice := faults.Enroll(ctx, lastingTier(allowing(faults), 1).Name)
		cut, _ := faults.CutOff(harness.Model)

		faults.Do(ctx, cut)
		faults.Fire(ctx, pastQuota(alice, 3))

		Expect(faults.Judge(ctx, alice, oracle.FailuresSpend)).To(Hold())
	})
})

var _ = Describe("A hit that the gateway tries again", Label("rule:retries-spend-once"), func() {
	It("is one hit, however often the model gets it", Serial, harness.On(harness.Retrying), Case("F12"), func(ctx SpecContext) {
		retrying := bed.On(harness.Retrying)
		retrying.NeedsRetries()
		alice := retrying.Enroll(ctx, lastingTier(retrying, 1).Name)

		retrying.Fire(ctx, pastQuota(alice, 3))

		Expect(retrying.Judge(ctx, alice, oracle.RetriesSpendOnce, oracle.InOrder, oracle.DenialsAre429)).To(Hold())
	})
})

var _ = Describe("A model's own 429", Label("rule:failures-spend"), func() {
	It("is the model's: the limiter has admitted the hit, and counts it", Serial, harness.On(harness.Strict), Case("F11"), func(ctx SpecContext) {
		strict := bed.On(harness.Strict)
		alice := strict.Enroll(ctx, lastingTier(strict, 1).Name)

		strict.Fire(ctx, pastQuota(alice, 3))

		Expect(strict.Judge(ctx, alice, oracle.FailuresSpend, oracle.InOrder, oracle.DenialsAre429, oracle.BackendAgrees)).To(Hold())
	})
})

// allowing skips the spec where it is not known that a gateway lets hits pass that
// no limiter hears.
func allowing(bed *harness.Bed) *harness.Bed {
	GinkgoHelper()
	if mode := bed.Services().LimiterFailureMode; mode != oracle.Allow {
		bed.NotJudged("the gateway's failure mode is %s", mode)
	}
	return bed
}

// failing is what was made to fail, in the words of the bed's gateway.
func failing(bed *harness.Bed, what string, every bool) oracle.Failing {
	services := bed.Services()
	return oracle.Failing{What: what, Mode: services.LimiterFailureMode, Patience: services.AuthorizerTimeout, Every: every}
}

// tooLate is an answer that comes when nobody waits for it any more. A gateway that
// stood still for longer than stall while it waited hears it all the same, and is
// none the worse.
func tooLate(timeout time.Duration) cluster.NetworkFault {
	return cluster.NetworkFault{Delay: timeout + stall}
}

// filterError is what the filter answers where a call fails closed (sut.md 3.4).
func filterError() oracle.Want {
	body := "Internal Server Error.\n"
	return oracle.Want{Statuses: []int{500}, Body: &body}
}

// limitsAgain fires as who, whose quota is spent, until the limiter is heard again.
func limitsAgain(ctx SpecContext, bed *harness.Bed, who tier.Identity, mend harness.Change) (oracle.Want, harness.Hits) {
	hits, asked, done := bed.FireThrough(ctx, mend, harness.DeniedAgain(who), mendedBudget+time.Second, everySecond(who))
	return oracle.Want{Change: &oracle.Change{
		What: "the limiter could be reached again", Asked: asked, Done: done, Budget: mendedBudget, Owner: reports.Gateway,
	}}, hits
}
