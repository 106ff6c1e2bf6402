package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A limiter that was told to stop", Label("rule:stopped-is-silent"), func() {
	It("admits no second quota beside its successor", harness.On(harness.Stopping), Case("S13"), func(ctx SpecContext) {
		stopping := bed.On(harness.Stopping)
		alice, bob := stopping.Enroll(ctx, stopping.Smallest().Name), stopping.Enroll(ctx, stopping.Smallest().Name)

		stopping.Fire(ctx, pastQuota(alice, 1))
		all := stopping.Judge(ctx, alice, oracle.NoOverrun, oracle.InOrder, oracle.Reconciled)
		stopping.StopLimiter(ctx)
		late := stopping.Fire(ctx, pastQuota(bob, 3))

		Expect(append(all, stopping.JudgeAbout(ctx, bob, late, oracle.Want{}, oracle.StoppedIsSilent)...)).To(Hold())
	})
})
