package conformance

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A window", Label("rule:window"), func() {
	It("denies until it ends (shortened windows)", harness.On(harness.Twin), Case("W01"), func(ctx SpecContext) {
		deniesUntilTheEnd(ctx, bed.On(harness.Twin))
	})

	It("admits a full quota again once it has ended (shortened windows)", harness.On(harness.Twin), Case("W02"), func(ctx SpecContext) {
		resetsAtTheEnd(ctx, bed.On(harness.Twin))
	})

	It("is not ended by a full turn of the clock (shortened windows)", harness.On(harness.Twin), Case("K03"), func(ctx SpecContext) {
		twin := bed.On(harness.Twin)
		callers, window := everyTier(ctx, twin)

		twin.WaitForTurn(ctx, window, beforeTurn)
		spent := twin.Fire(ctx, spend(callers, 1)...)
		twin.Wait(ctx, spent.FirstSent()+2*beforeTurn, "the time after a full turn of the clock")
		twin.Fire(ctx, probe(callers, 1)...)
		twin.Wait(ctx, lastAnswered(spent, callers)+window+afterEdge, "the end of the windows")
		twin.Fire(ctx, spend(callers, 1)...)

		Expect(judgeAll(ctx, twin, callers, append(insideWindow, oracle.Resets)...)).To(Hold())
	})

	It("denies until it ends", harness.CaseInRealTime("W01"), func(ctx SpecContext) {
		deniesUntilTheEnd(ctx, bed)
	})

	It("admits a full quota again once it has ended", harness.CaseInRealTime("W02"), func(ctx SpecContext) {
		resetsAtTheEnd(ctx, bed)
	})

	It("ends by the clock where that is declared (shortened windows)", harness.On(harness.Epoch), Case("W11"), func(ctx SpecContext) {
		epoch := bed.On(harness.Epoch)
		callers, _ := everyTier(ctx, epoch)

		spent := epoch.Fire(ctx, spend(callers, 2)...)
		edge, end := epoch.AllWindowEnds(spent, callers)
		epoch.Wait(ctx, edge-beforeEdge, "the edge of the windows")
		epoch.Fire(ctx, probe(callers, 1)...)
		epoch.Wait(ctx, end+afterEdge, "the end of the windows")
		epoch.Fire(ctx, spend(callers, 2)...)

		Expect(judgeAll(ctx, epoch, callers, slices.Concat(boundary, []string{oracle.NoEarlyReset, oracle.Resets})...)).To(Hold())
	})

	It("is as long as the policy says, in seconds", Case("W08"), func(ctx SpecContext) {
		all := bed.JudgeBooks(ctx, oracle.Want{InForce: bed.LimitsOfPolicy()}, oracle.LimitsInForce)
		for _, who := range bed.Newcomers(ctx) {
			bed.Fire(ctx, attack.Attack{As: who, Hits: 1, Pacer: attack.OneAtATime})
			all = append(all, bed.JudgeCounters(ctx, who, oracle.WindowTold)...)
		}
		Expect(all).To(Hold())
	})
})

var _ = Describe("A window that is long", Label("rule:window-told"), func() {
	It("has its own length in whole seconds, and not what is left of it in some unit", Serial, harness.On(harness.Edits), Case("W17"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		var all harness.Judgement
		for _, window := range longWindows() {
			long, err := edits.Set().WithOneRate(longQuota, window)
			after := edits.Edit(ctx, long, err)
			alice := after.Under(after.Enroll(ctx, after.Smallest().Name))
			after.Fire(ctx, attack.Attack{As: alice, Hits: 1, Pacer: attack.OneAtATime})
			all = append(all, after.JudgeCounters(ctx, alice, oracle.WindowTold)...)
		}
		Expect(all).To(Hold())
	})
})

var _ = Describe("A quota that is spent and left alone", Label("rule:no-early-reset"), func() {
	It("is still spent when most of the window is over", Case("W16"), func(ctx SpecContext) {
		callers, window := everyTier(ctx, bed)

		spent := bed.Fire(ctx, spend(callers, 1)...)
		edge, _ := bed.AllWindowEnds(spent, callers)
		bed.Wait(ctx, min(edge-beforeEdge, spent.LastAnswered()+min(window*5/6, mostAlone)), "most of the windows, in which nobody comes")
		bed.Fire(ctx, probe(callers, 1)...)

		Expect(judgeAll(ctx, bed, callers, insideWindow...)).To(Hold())
	})
})

// mostAlone is how long a quota is left alone at most.
const mostAlone = 100 * time.Second

// longQuota is of limits whose windows are long.
const longQuota = 2

// longWindows are longer than what 32 bits of microseconds hold, as long as the
// longest that users are likely to have, and longer than 32 bits of milliseconds.
func longWindows() []time.Duration {
	return []time.Duration{4296 * time.Second, 24 * time.Hour, 1194 * time.Hour}
}

var _ = Describe("The windows of a crowd", Label("rule:own-quota"), func() {
	// What strikes one window in fifty strikes some of so many.
	It("end for each member, and none before its time (shortened windows)", harness.On(harness.Twin), Case("W15"), func(ctx SpecContext) {
		twin := bed.On(harness.Twin)
		t := plainTier(twin)
		crowd := twin.EnrollCrowd(ctx, t.Name, windowed)

		first := twin.FireInTurn(ctx, volleys, int(t.Quota())+1, crowd)
		edge, end := twin.AllWindowEnds(first, crowd)
		twin.Wait(ctx, edge-time.Second, "the last second of the windows")
		first = first.And(twin.FireInTurn(ctx, volleys, 1, crowd))
		twin.Wait(ctx, end+afterEdge, "the end of the windows")
		second := twin.FireInTurn(ctx, volleys, int(t.Quota())+1, crowd)

		all := twin.JudgeCrowd(ctx, crowd, first, oracle.OwnQuota, oracle.Served)
		Expect(append(all, twin.JudgeCrowd(ctx, crowd, second, oracle.OwnQuota, oracle.Served)...)).To(Hold())
	})
})

// windowed is how many callers have windows side by side.
const windowed = 200

// plainTier is a tier of one limit, counted by the caller, that a crowd can use up
// in a fraction of a second.
func plainTier(bed *harness.Bed) tier.Tier {
	GinkgoHelper()
	const quota = 10
	for _, t := range bed.Tiers() {
		if len(t.Limits) == 1 && !t.Limits[0].Shared() && t.Quota() > 0 && t.Quota() <= quota {
			return t
		}
	}
	bed.NotJudged("no tier has one limit alone, of at most %d hits and counted by the caller: %d callers could not use it up in a moment", quota, windowed)
	return tier.Tier{}
}

// Probes leave this long before or after the edge of a window. The first is
// long enough for a probe on a slow path, short enough to tell a window that
// is a tenth short; the second keeps clear of the real limiter's own race at
// the expiry (sut.md 2.1).
const (
	beforeEdge = 500 * time.Millisecond
	afterEdge  = 250 * time.Millisecond
	// beforeTurn is how long before a full turn of the clock a window begins.
	beforeTurn = 1500 * time.Millisecond
)

func deniesUntilTheEnd(ctx SpecContext, bed *harness.Bed) {
	callers, _ := everyTier(ctx, bed)

	spent := bed.Fire(ctx, spend(callers, 1)...)
	edge, _ := bed.AllWindowEnds(spent, callers)
	bed.Wait(ctx, edge-time.Second, "the last second of the windows")
	bed.Fire(ctx, probe(callers, 1)...)
	bed.Wait(ctx, edge-beforeEdge, "the edge of the windows")
	bed.Fire(ctx, probe(callers, 1)...)

	Expect(judgeAll(ctx, bed, callers, insideWindow...)).To(Hold())
}

func resetsAtTheEnd(ctx SpecContext, bed *harness.Bed) {
	callers, window := everyTier(ctx, bed)
	late, _ := everyTier(ctx, bed)

	spent := bed.Fire(ctx, spend(callers, 2)...)
	bed.Wait(ctx, spent.FirstSent()+window/2, "the middle of the windows")
	// Others start in the middle: their windows must outlive the first reset.
	bed.Fire(ctx, spend(late, 1)...)
	_, end := bed.AllWindowEnds(spent, callers)
	bed.Wait(ctx, end+afterEdge, "the end of the windows")
	bed.Fire(ctx, spend(callers, 2)...)
	bed.Fire(ctx, probe(late, 2)...)

	all := judgeAll(ctx, bed, callers, append(insideWindow, oracle.Resets)...)
	Expect(append(all, judgeAll(ctx, bed, late, insideWindow...)...)).To(Hold())
}

// insideWindow are the rules of a window that has not ended.
var insideWindow = []string{oracle.NoOverrun, oracle.NoUnderrun, oracle.NoEarlyReset, oracle.Reconciled, oracle.PrometheusAgrees}

// everyTier enrols an identity in each tier whose binding window is the bed's
// longest, so that all of them wait together.
func everyTier(ctx SpecContext, bed *harness.Bed) (callers []tier.Identity, window time.Duration) {
	for _, t := range bed.Tiers() {
		if binding, ok := tier.Binding(t.Limits); ok {
			window = max(window, binding.Window)
		}
	}
	for _, t := range bed.Tiers() {
		if binding, _ := tier.Binding(t.Limits); binding.Window == window {
			callers = append(callers, bed.Enroll(ctx, t.Name))
		}
	}
	return callers, window
}

// windowOf is the window of the limit that a caller meets first.
func windowOf(who tier.Identity) time.Duration {
	binding, _ := tier.Binding(who.Limits)
	return binding.Window
}

// lastAnswered is when the last caller's first answer came: by then every
// first window is open.
func lastAnswered(hits harness.Hits, callers []tier.Identity) time.Duration {
	var last time.Duration
	for _, caller := range callers {
		last = max(last, hits.Of(caller).FirstAnswered())
	}
	return last
}

func spend(callers []tier.Identity, more int) []attack.Attack {
	var attacks []attack.Attack
	for i, caller := range callers {
		attacks = append(attacks, pastQuota(caller, more+i))
	}
	return attacks
}

func probe(callers []tier.Identity, hits int) []attack.Attack {
	var attacks []attack.Attack
	for _, caller := range callers {
		attacks = append(attacks, attack.Attack{As: caller, Hits: hits, Pacer: attack.OneAtATime})
	}
	return attacks
}

func judgeAll(ctx SpecContext, bed *harness.Bed, callers []tier.Identity, rules ...string) harness.Judgement {
	var all harness.Judgement
	for _, caller := range callers {
		all = append(all, bed.Judge(ctx, caller, rules...)...)
	}
	return all
}
