package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// boundary are the rules of a fresh identity that fires past its quota.
var boundary = []string{oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.DenialsAre429, oracle.Served, oracle.Reconciled, oracle.PrometheusAgrees}

var _ = Describe("A quota", Label("rule:no-overrun"), func() {
	It("of the smallest tier admits its hits, in order, and denies the rest", Case("B01"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)

		bed.Fire(ctx, pastQuota(alice, 3))

		Expect(bed.Judge(ctx, alice, boundary...)).To(Hold())
	})

	It("of a tier in the middle admits its hits, in order, and denies the rest", Case("B02"), func(ctx SpecContext) {
		for i, middle := range bed.Middle() {
			alice := bed.Enroll(ctx, middle.Name)

			bed.Fire(ctx, pastQuota(alice, 5+i))

			Expect(bed.Judge(ctx, alice, boundary...)).To(Hold())
		}
	})

	It("of the largest tier admits its hits, in order, and denies the rest", Case("B03"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Largest().Name)

		bed.Fire(ctx, pastQuota(alice, 5))

		Expect(bed.Judge(ctx, alice, boundary...)).To(Hold())
	})

	It("holds for each identity when all tiers fire at once", Case("B04"), func(ctx SpecContext) {
		callers := twoOfEachTier(ctx, bed)

		bed.Fire(ctx, differently(callers)...)

		Expect(judgeAll(ctx, bed, callers, boundary...)).To(Hold())
	})

	It("does not exist without a policy", harness.On(harness.Open), Case("B08"), func(ctx SpecContext) {
		open := bed.On(harness.Open)
		alice := open.Enroll(ctx, open.Anyone())

		open.Fire(ctx, attack.Attack{As: alice, Hits: 60, Pacer: attack.OneAtATime})

		Expect(open.Judge(ctx, alice, oracle.AllAdmitted)).To(Hold())
	})
})

// pastQuota fires one at a time until the quota is spent, and some more.
func pastQuota(who tier.Identity, more int) attack.Attack {
	return attack.Attack{As: who, Hits: int(who.Quota()) + more, Pacer: attack.OneAtATime}
}

// twoOfEachTier enrols two identities in each tier.
func twoOfEachTier(ctx SpecContext, bed *harness.Bed) []tier.Identity {
	var callers []tier.Identity
	for _, t := range bed.Tiers() {
		callers = append(callers, bed.Enroll(ctx, t.Name), bed.Enroll(ctx, t.Name))
	}
	return callers
}

// differently makes every identity send another number of hits past its quota:
// with equal numbers, exchanged labels would not show.
func differently(callers []tier.Identity) []attack.Attack {
	var attacks []attack.Attack
	for i, caller := range callers {
		attacks = append(attacks, pastQuota(caller, 2+3*i))
	}
	return attacks
}
