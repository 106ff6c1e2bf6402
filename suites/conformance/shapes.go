package conformance

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// plenty is how many hits a quota is asked for that none of them can use up:
	// enough to find denials of 2 % with 99 % power.
	plenty = 300
	// tolled is how many hits, one at a time, tell what the headers say is left.
	tolled = 5
	// pressed is how long a limit of a second is asked for more than it grants,
	// and pressure by how much more.
	pressed  = 30 * time.Second
	pressure = 3
	// inARow is how many windows follow one another, and hammering how many hits
	// are fired in each, to see when it begins.
	inARow    = 20
	hammering = 20
)

var _ = Describe("A quota", Label("rule:no-overrun"), func() {
	It("of one hit admits one", harness.On(harness.Shapes), Case("B05"), func(ctx SpecContext) {
		shapes := bed.On(harness.Shapes)
		alice, one := underShape(ctx, shapes, policy.OneHit)

		shapes.Fire(ctx, one(3, attack.OneAtATime))

		Expect(shapes.Judge(ctx, alice, boundary...)).To(Hold())
	})

	It("of none admits none", harness.On(harness.Shapes), Case("B06"), func(ctx SpecContext) {
		shapes := bed.On(harness.Shapes)
		alice, none := underShape(ctx, shapes, policy.NoHit)

		shapes.Fire(ctx, none(3, attack.OneAtATime))

		Expect(shapes.Judge(ctx, alice, oracle.AllDenied, oracle.NoOverrun, oracle.DenialsAre429, oracle.BackendAgrees, oracle.Reconciled)).To(Hold())
	})

	It("of a billion and of more than 32 bits hold is neither cut nor reached", harness.On(harness.Shapes), harness.On(harness.Headers), Case("B07"), func(ctx SpecContext) {
		shapes := bed.On(harness.Shapes)
		var all harness.Judgement
		for _, huge := range []string{policy.BillionHits, policy.Over32Bits} {
			alice, much := underShape(ctx, shapes, huge)

			shapes.Fire(ctx, much(plenty, attack.Callers(8)))

			all = append(all, shapes.JudgeCounters(ctx, alice, oracle.AllAdmitted, oracle.CountersTell, oracle.Reconciled)...)
			all = append(all, toldOf(ctx, huge)...)
		}
		Expect(all).To(Hold())
	})

	It("that is not reached denies nobody", harness.On(harness.Shapes), Case("B13"), func(ctx SpecContext) {
		shapes := bed.On(harness.Shapes)
		alice, some := underShape(ctx, shapes, policy.ThousandHits)

		shapes.Fire(ctx, some(plenty, attack.Callers(4)))

		Expect(shapes.Judge(ctx, alice, oracle.AllAdmitted, oracle.NoUnderrun, oracle.Reconciled, oracle.PrometheusAgrees)).To(Hold())
	})

	It("for nobody limits nobody", harness.On(harness.Shapes), Case("B09"), func(ctx SpecContext) {
		shapes := bed.On(harness.Shapes)
		alice, free := underShape(ctx, shapes, policy.ForNobody)

		shapes.Fire(ctx, free(20, attack.OneAtATime))

		Expect(shapes.Judge(ctx, alice, oracle.AllAdmitted, oracle.Untouched)).To(Hold())
	})
})

var _ = Describe("Windows of a second", Label("rule:keeps-pace"), func() {
	It("each grant their quota under steady pressure, and no more", harness.On(harness.Shapes), Case("W09"), func(ctx SpecContext) {
		shapes := bed.On(harness.Shapes)
		alice, steadily := underShape(ctx, shapes, policy.EverySecond)
		rate := pressure * float64(alice.Quota()) / windowOf(alice).Seconds()

		shapes.Fire(ctx, steadily(int(rate*pressed.Seconds()), attack.Rate(rate)))

		Expect(shapes.Judge(ctx, alice, oracle.KeepsPace, oracle.Served, oracle.Reconciled)).To(Hold())
	})

	It("begin one after the other with a hit, whatever the clock shows", harness.On(harness.Shapes), Case("W05"), func(ctx SpecContext) {
		shapes := bed.On(harness.Shapes)
		alice, hammered := underShape(ctx, shapes, policy.EverySecond)
		rate := hammering / windowOf(alice).Seconds()

		shapes.Fire(ctx, hammered(hammering*inARow, attack.Rate(rate)))

		Expect(shapes.Judge(ctx, alice, oracle.KeepsPace, oracle.NoEarlyReset, oracle.Served, oracle.Reconciled)).To(Hold())
	})
})

var _ = Describe("A counter", Label("rule:isolation"), func() {
	It("is one for all models, unless the policy counts each", harness.On(harness.ByModel), harness.On(harness.Policy), Case("I04"), func(ctx SpecContext) {
		byModel := bed.On(harness.ByModel)
		bodies := bed.Bodies(ctx)
		if len(bodies) < 2 {
			bed.NotJudged("one model is served, so that no other can be asked for")
		}
		alice := bed.Enroll(ctx, bed.Smallest().Name)
		bob, secret := bed.Recruit(bed.Smallest().Name)
		bob.Limits = byModel.Set().LimitsNamed(policy.ForEachModel)[:1]
		byModel.Admit(ctx, bob, secret)

		bed.Fire(ctx, askingFor(bodies[0], pastQuota(alice, 1)))
		bed.Fire(ctx, askingFor(bodies[1], pastQuota(alice, 1)))
		all := bed.JudgeCounters(ctx, alice, boundary...)
		for i, body := range bodies[:2] {
			all = append(all, fireApart(ctx, byModel, bob, askingFor(body, shapedAs(policy.ForEachModel, pastQuota(bob, 2+i))))...)
		}

		Expect(all).To(Hold())
	})
})

// toldOf is what headers say is left of an odd limit, where the limiter sends
// headers at all.
func toldOf(ctx SpecContext, limit string) harness.Judgement {
	GinkgoHelper()
	if !bed.Has(harness.Headers) || len(bed.On(harness.Headers).Set().LimitsNamed(limit)) == 0 {
		return nil
	}
	headers := bed.On(harness.Headers)
	alice, some := underShape(ctx, headers, limit)

	headers.Fire(ctx, keeping(some(tolled, attack.OneAtATime)))

	return headers.Judge(ctx, alice, oracle.AllAdmitted, oracle.RemainingTold)
}

// underShape enrols a caller whose hits one of the policy's odd limits counts,
// and makes the attacks that it counts.
func underShape(ctx SpecContext, bed *harness.Bed, limit string) (tier.Identity, func(hits int, pacer attack.Pacer) attack.Attack) {
	GinkgoHelper()
	alice := bed.Enroll(ctx, bed.Smallest().Name)
	alice.Limits, _ = bed.LimitsFor(alice, bed.Set().ShapedRequest(limit))
	alice.Fresh = bed.AwaitUnused(ctx, alice) && alice.Fresh
	return alice, func(hits int, pacer attack.Pacer) attack.Attack {
		return shapedAs(limit, attack.Attack{As: alice, Hits: hits, Pacer: pacer})
	}
}

// shapedAs is an attack that one of the policy's odd limits counts.
func shapedAs(limit string, a attack.Attack) attack.Attack {
	a.Header = http.Header{}
	a.Header.Set(policy.ShapeHeader, limit)
	return a
}

// askingFor is an attack that asks for one model alone.
func askingFor(body []byte, a attack.Attack) attack.Attack {
	a.Target.Bodies = [][]byte{body}
	return a
}
