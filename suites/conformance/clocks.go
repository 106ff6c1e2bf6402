package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A limiter's clock", Label("rule:clock-steps"), func() {
	It("that is stepped ends windows early, and nothing worse", Serial, harness.On(harness.Faults), Case("K01"), func(ctx SpecContext) {
		faults := bed.On(harness.Faults)
		t := lastingTier(faults, 1)
		binding, _ := tier.Binding(t.Limits)
		alice, bob := faults.Enroll(ctx, t.Name), faults.Enroll(ctx, t.Name)

		all := throughStep(ctx, faults, alice, binding.Window)
		all = append(all, throughStep(ctx, faults, bob, -binding.Window/2)...)

		Expect(all).To(Hold())
	})
})

// throughStep spends a quota, steps the limiter's clock and fires on.
func throughStep(ctx SpecContext, bed *harness.Bed, who tier.Identity, by time.Duration) harness.Judgement {
	bed.Fire(ctx, pastQuota(who, 1))
	asked, done := bed.DoIfAble(ctx, bed.StepClock(by))
	bed.Fire(ctx, pastQuota(who, 2))
	return bed.JudgeStep(ctx, who, oracle.Step{By: by, Asked: asked, Done: done}, oracle.ClockSteps, oracle.DenialsAre429, oracle.Served, oracle.Reconciled)
}
