package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// burst is how many hits are released together: enough for every race that a
// check apart from its update opens, few enough for two cores.
const burst = 60

var _ = Describe("Concurrent hits", Label("rule:no-overrun"), func() {
	It("do not get past the quota", Case("C01"), func(ctx SpecContext) {
		var all harness.Judgement
		for i, t := range bed.Tiers() {
			if t.Quota() >= burst {
				continue
			}
			alice := bed.Enroll(ctx, t.Name)

			bed.Fire(ctx, attack.Attack{As: alice, Hits: burst + i, Pacer: attack.Together})

			all = append(all, bed.Judge(ctx, alice, oracle.NoOverrun, oracle.NoUnderrun, oracle.DenialsAre429, oracle.Served, oracle.Reconciled, oracle.PrometheusAgrees)...)
		}
		if len(all) == 0 {
			bed.NotJudged("every quota is at least the burst of %d", burst)
		}
		Expect(all).To(Hold())
	})
})
