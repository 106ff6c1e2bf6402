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

// burst is how many hits are released together: enough for every race that a
// check apart from its update opens, few enough for two cores. A crowd is as many
// identities as make a lock's shards collide, connections as many as nobody
// keeps for one caller.
const (
	burst       = 60
	crowd       = 50
	connections = 200
	// underWay is how long a slow hit is at least, well past the others.
	underWay = 3 * time.Second
)

// released are the rules of hits that leave together: nobody knows their order.
var released = []string{oracle.NoOverrun, oracle.NoUnderrun, oracle.DenialsAre429, oracle.Served, oracle.Reconciled, oracle.PrometheusAgrees}

var _ = Describe("Concurrent hits", Label("rule:no-overrun"), func() {
	It("do not get past the quota", Case("C01"), func(ctx SpecContext) {
		var all harness.Judgement
		for i, t := range bed.Tiers() {
			if t.Quota() >= burst {
				continue
			}
			alice := bed.Enroll(ctx, t.Name)

			bed.Fire(ctx, attack.Attack{As: alice, Hits: burst + i, Pacer: attack.Together})

			all = append(all, bed.Judge(ctx, alice, released...)...)
		}
		if len(all) == 0 {
			bed.NotJudged("every quota is at least the burst of %d", burst)
		}
		Expect(all).To(Hold())
	})

	It("get past the quota no more often the more callers fire them", Case("C02"), func(ctx SpecContext) {
		of := firstWith(bed, 4)
		var callers []tier.Identity
		var hits harness.Hits
		for _, sideBySide := range []int{1, 4, 16, 64, 256} {
			alice := bed.Enroll(ctx, of.Name)
			hits = hits.And(bed.Fire(ctx, attack.Attack{As: alice, Hits: max(4*int(alice.Quota()), sideBySide), Pacer: attack.Callers(sideBySide)}))
			callers = append(callers, alice)
		}

		Expect(bed.JudgeCrowd(ctx, callers, hits, oracle.Overshoot)).To(Hold())
	})

	It("are counted when they come, however long they take", Case("C06"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, firstWith(bed, 4).Name)
		slow := attack.Attack{Name: "slow", As: alice, Hits: 1, Pacer: attack.OneAtATime, Target: bed.Asking(ctx, map[string]any{"stream": true})}
		slow.Target.HoldEnd = underWay
		others := pastQuota(alice, 3)
		others.Pacer = attack.Rate(probeRate)

		hits := bed.Fire(ctx, slow, others)

		all := bed.JudgeAbout(ctx, alice, hits, oracle.Want{Slow: slow.Name}, oracle.CountedAtStart)
		Expect(append(all, bed.Judge(ctx, alice, released...)...)).To(Hold())
	})

	It("that nobody waits for are no way past the quota", Case("C07"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, firstWith(bed, 4).Name)
		givenUp := attack.Attack{As: alice, Hits: 4 * int(alice.Quota()), Pacer: attack.Callers(4), GiveUpEvery: 2}

		bed.Fire(ctx, givenUp)
		bed.Fire(ctx, pastQuota(alice, 3))

		all := bed.JudgeCounters(ctx, alice, oracle.CountersTell)
		Expect(append(all, bed.Judge(ctx, alice, oracle.AbortsCounted, oracle.Reconciled)...)).To(Hold())
	})

	It("of many identities at once spend each its own quota", Case("C03"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)
		times := bed.TimeAuthorizer(ctx, alice, 0)
		callers := many(ctx, crowd, bed.Smallest())
		times = append(times, bed.TimeAuthorizer(ctx, alice, len(callers))...)

		hits := bed.Fire(ctx, doubled(callers)...)

		all := bed.JudgeCrowd(ctx, callers, hits, oracle.OwnQuota)
		Expect(append(all, bed.JudgeAnswerTimes(ctx, alice, callers, times, oracle.KeysCostNothing)...)).To(Hold())
	})

	It("do not get past the quota, each on a connection of its own", Case("C08"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, tierBelow(connections).Name)

		bed.Fire(ctx, onNewConnections(attack.Attack{As: alice, Hits: connections, Pacer: attack.Together}))

		Expect(bed.Judge(ctx, alice, released...)).To(Hold())
	})

	It("do not get past the quota as streams of one HTTP/2 connection", Case("C09"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, tierBelow(burst).Name)

		bed.Fire(ctx, attack.Attack{As: alice, Hits: burst, Pacer: attack.Together, Protocol: attack.H2C})

		Expect(bed.Judge(ctx, alice, released...)).To(Hold())
	})
})

// many enrols so many identities of a tier, if a case can fire twice the quota
// as each of them.
func many(ctx SpecContext, identities int, of tier.Tier) []tier.Identity {
	GinkgoHelper()
	if most := int64(mostTogether / (2 * identities)); of.Quota() > most {
		bed.NotJudged("every quota is above %d hits, too many to fire twice of as %d identities at once", most, identities)
	}
	return bed.EnrollCrowd(ctx, of.Name, identities)
}

// mostTogether bounds the hits that many identities fire at once.
const mostTogether = 1000

// doubled fires twice each caller's quota at once, and as every identity
// another number more.
func doubled(callers []tier.Identity) []attack.Attack {
	var attacks []attack.Attack
	for i, caller := range callers {
		attacks = append(attacks, attack.Attack{As: caller, Hits: 2*int(caller.Quota()) + i%4, Pacer: attack.Together})
	}
	return attacks
}

// tierBelow is the tier of the smallest quota, which must be below a number of
// hits.
func tierBelow(hits int64) tier.Tier {
	GinkgoHelper()
	smallest := bed.Smallest()
	if smallest.Quota() >= hits {
		bed.NotJudged("every quota is at least the burst of %d", hits)
	}
	return smallest
}
