package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("The limiter's metrics", Label("rule:well-formed"), func() {
	It("are text that a strict reader takes", Case("M17"), func(ctx SpecContext) {
		callers := twoOfEachTier(ctx, bed)

		bed.Fire(ctx, differently(callers)...)

		Expect(bed.JudgePage(ctx, oracle.WellFormed)).To(Hold())
	})

	It("name the caller of every call", Label("rule:names-callers"), Serial, Case("M05"), func(ctx SpecContext) {
		bed.NeedsUserLabel()
		alice := bed.Enroll(ctx, bed.Smallest().Name)

		bed.Fire(ctx, pastQuota(alice, 4))

		Expect(bed.Judge(ctx, alice, oracle.NamesCallers, oracle.Reconciled)).To(Hold())
	})

	It("name the limit that denied", Label("rule:names-limit"), harness.On(harness.Headers), Case("M06"), func(ctx SpecContext) {
		headers := bed.On(harness.Headers)
		headers.NeedsUserLabel()
		headers.NeedsLimitNames()
		alice, bob := headers.Enroll(ctx, headers.Smallest().Name), headers.Enroll(ctx, headers.Largest().Name)

		headers.Fire(ctx, pastQuota(alice, 3), pastQuota(bob, 5))

		all := headers.Judge(ctx, alice, oracle.NamesLimit)
		Expect(append(all, headers.Judge(ctx, bob, oracle.NamesLimit)...)).To(Hold())
	})

	It("count on over a restart, nothing negative and nothing twice", Label("rule:counts-across"), Serial, harness.On(harness.Edits), Case("M08"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		alice := edits.Enroll(ctx, edits.Smallest().Name)
		restart := edits.LoseLimiter()

		readings := []evidence.Snapshot{edits.Books(ctx)}
		edits.Fire(ctx, pastQuota(alice, 3))
		readings = append(readings, edits.Books(ctx), edits.Books(ctx))
		edits.Do(ctx, restart)
		edits.Fire(ctx, pastQuota(alice, 5))
		readings = append(readings, edits.Books(ctx), edits.Books(ctx))

		Expect(edits.JudgeReadings(ctx, alice, readings, oracle.CountsAcross, oracle.NeverBackwards, oracle.PrometheusAcross)).To(Hold())
	})
})

var _ = Describe("Prometheus", Label("rule:prometheus-agrees"), func() {
	It("tells by raw samples what the limiter's own text tells", Case("M02"), func(ctx SpecContext) {
		bed.NeedsPrometheus()
		callers := twoOfEachTier(ctx, bed)

		bed.Fire(ctx, differently(callers)...)

		Expect(judgeAll(ctx, bed, callers, oracle.PrometheusAgrees)).To(Hold())
	})

	It("tells a caller's first calls by raw samples", Label("rule:first-calls-told"), Case("M07"), func(ctx SpecContext) {
		bed.NeedsPrometheus()
		bed.NeedsUserLabel()
		alice := bed.Enroll(ctx, bed.Smallest().Name)

		bed.Fire(ctx, pastQuota(alice, 5))

		Expect(bed.JudgeIncrease(ctx, alice, oracle.FirstCallsTold, oracle.Reconciled)).To(Hold())
	})

	It("that has missed scrapes is in doubt, and tells everything afterwards", Label("rule:missed-scrapes-doubt"), Serial, Case("M10"), func(ctx SpecContext) {
		bed.NeedsPrometheus()
		bed.NeedsUserLabel()
		alice := bed.Enroll(ctx, bed.Smallest().Name)

		outage := bed.MissScrapes(ctx, func() { bed.Fire(ctx, pastQuota(alice, 4)) })

		Expect(bed.JudgeOutage(ctx, alice, outage, oracle.MissedScrapesDoubt, oracle.PrometheusAgrees)).To(Hold())
	})

	It("scrapes every limiter, and their sum is the total", Label("rule:every-limiter-scraped"), harness.On(harness.Policy), harness.On(harness.Twin), Case("M09"), func(ctx SpecContext) {
		bed.NeedsPrometheus()
		twin := bed.On(harness.Twin)
		alice, bob := bed.Enroll(ctx, bed.Smallest().Name), twin.Enroll(ctx, twin.Smallest().Name)

		bed.Fire(ctx, attack.Attack{As: alice, Hits: shareOf(alice, 2), Pacer: attack.OneAtATime})
		twin.Fire(ctx, attack.Attack{As: bob, Hits: shareOf(bob, 5), Pacer: attack.OneAtATime})

		all := bed.JudgeTargets(ctx, oracle.EveryLimiterScraped)
		all = append(all, bed.Judge(ctx, alice, oracle.Reconciled, oracle.PrometheusAgrees)...)
		Expect(append(all, twin.Judge(ctx, bob, oracle.Reconciled, oracle.PrometheusAgrees)...)).To(Hold())
	})
})

// shareOf is the caller's quota and some more, so that two limiters count
// differently.
func shareOf(who tier.Identity, more int) int { return int(who.Quota()) + more }
