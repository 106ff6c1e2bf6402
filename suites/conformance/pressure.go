package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// hammerHits are fired at a used quota while its window lasts: enough denied
	// hits to find a leak of 3 % with 95 % power.
	hammerHits = 100
	// wholeWindowHits are fired through a whole window: so densely that the last
	// one leaves within the last hundredth of it.
	wholeWindowHits = 150
	// leakers and leakHits find a leak of 0.1 % with 95 % power.
	leakers  = 6
	leakHits = 500
	// soakWindows are the windows of a soak: what drifts or leaks does so by windows,
	// and these are twice as many as ten minutes have of the seed's.
	soakWindows = 12
	// soakPressure is how many quotas a window are fired at, and soakOff by how much
	// of a hit more: a hit that is due when a window ends would leave in doubt on
	// which side of it it was.
	soakPressure = 3
	soakOff      = 0.5
)

var _ = Describe("A used quota", Label("rule:no-early-reset"), func() {
	It("lets nothing through until the window ends, however long it is asked", harness.On(harness.Twin), Case("B11"), func(ctx SpecContext) {
		twin := bed.On(harness.Twin)
		callers, window := everyTier(ctx, twin)

		spent := twin.Fire(ctx, spend(callers, 1)...)
		left := spent.FirstSent() + window - time.Second - spent.LastAnswered()
		twin.Fire(ctx, hammer(callers, hammerHits, left)...)

		Expect(judgeAll(ctx, twin, callers, insideWindow...)).To(Hold())
	})

	It("lets nothing through among thousands of hits of several callers", Case("B12"), func(ctx SpecContext) {
		var callers []tier.Identity
		var attacks []attack.Attack
		for i := range leakers {
			alice := bed.Enroll(ctx, bed.Smallest().Name)
			callers, attacks = append(callers, alice), append(attacks, pastQuota(alice, leakHits+i))
		}

		bed.Fire(ctx, attacks...)

		Expect(judgeAll(ctx, bed, callers, oracle.NoOverrun, oracle.NoUnderrun, oracle.DenialsAre429, oracle.Reconciled)).To(Hold())
	})
})

var _ = Describe("Hits that are denied", Label("rule:resets"), func() {
	It("do not put off the end of the window", harness.On(harness.Twin), Case("W03"), func(ctx SpecContext) {
		twin := bed.On(harness.Twin)
		callers, window := everyTier(ctx, twin)

		spent := twin.Fire(ctx, spend(callers, 1)...)
		end := lastAnswered(spent, callers) + window
		twin.Fire(ctx, hammer(callers, wholeWindowHits, end-spent.LastAnswered())...)
		twin.Wait(ctx, end+afterEdge, "the end of the windows")
		twin.Fire(ctx, probe(callers, 1)...)

		Expect(judgeAll(ctx, twin, callers, oracle.Resets, oracle.NoUnderrun, oracle.NoOverrun, oracle.Reconciled)).To(Hold())
	})
})

var _ = Describe("Window after window", Label("rule:keeps-pace"), func() {
	It("grants every tier its quota in an open loop of three times as much, and does not drift", harness.On(harness.Twin), Case("C10"), func(ctx SpecContext) {
		twin := bed.On(harness.Twin)
		callers, window := everyTier(ctx, twin)

		twin.Fire(ctx, soak(callers, window)...)

		Expect(judgeAll(ctx, twin, callers, oracle.KeepsPace, oracle.DenialsAre429, oracle.Served, oracle.Reconciled, oracle.PrometheusAgrees)).To(Hold())
	})
})

// soak fires evenly at three times the quotas, for soakWindows windows.
func soak(callers []tier.Identity, window time.Duration) []attack.Attack {
	var attacks []attack.Attack
	for _, caller := range callers {
		a := float64(soakPressure*caller.Quota()) + soakOff
		attacks = append(attacks, attack.Attack{As: caller, Hits: int(a * soakWindows), Pacer: attack.Rate(a / window.Seconds())})
	}
	return attacks
}

// hammer fires at used quotas, evenly for so long.
func hammer(callers []tier.Identity, hits int, during time.Duration) []attack.Attack {
	rate := attack.Rate(float64(hits) / max(during, time.Second).Seconds())
	var attacks []attack.Attack
	for _, caller := range callers {
		attacks = append(attacks, attack.Attack{As: caller, Hits: hits, Pacer: rate})
	}
	return attacks
}
