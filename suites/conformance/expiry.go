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

// Each of the racers runs into so many expiries, with a few callers side by side
// who fire again as soon as they are answered: some hits are decided within the
// first milliseconds after the expiry, however fast the machine is. They begin
// so early that the attack's own start does not miss it.
const (
	racers   = 10
	expiries = 10
	callers  = attack.Callers(3)
	lead     = 15 * time.Millisecond
	flood    = 40
	// apart is how far the racers' windows begin from one another, so that a
	// flood is over before the next.
	apart = 90 * time.Millisecond
)

var _ = Describe("Hits that race at the end of a window", Label("rule:expiry-races"), func() {
	It("get no more than the quota", Serial, harness.On(harness.Brief), Case("W10"), func(ctx SpecContext) {
		brief := bed.On(harness.Brief)
		binding, _ := tier.Binding(brief.Smallest().Limits)
		if binding.Quota != 1 {
			brief.NotJudged("the policy's limits cannot be made as short as the race needs them")
		}
		crowd := make([]tier.Identity, racers)
		opened := make([]time.Duration, racers)
		var all harness.Hits
		for i := range crowd {
			crowd[i] = brief.Enroll(ctx, brief.Smallest().Name)
		}
		var start time.Duration
		for range expiries + 1 {
			for i, racer := range crowd {
				shots := attack.Attack{As: racer, Hits: 1, Pacer: attack.OneAtATime}
				if opened[i] == 0 {
					brief.Wait(ctx, start+time.Duration(i)*apart, "its turn")
				} else {
					brief.Wait(ctx, opened[i]+binding.Window-lead, "an expiry")
					shots.Hits, shots.Pacer = flood, callers
				}
				hits := brief.Fire(ctx, shots)
				opened[i] = hits.FirstAdmitted()
				if start == 0 {
					start = hits.FirstSent()
				}
				all = all.And(hits)
			}
		}

		Expect(brief.JudgeCrowd(ctx, crowd, all, oracle.ExpiryRaces)).To(Hold())
	})
})
