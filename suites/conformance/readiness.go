package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A limiter that cannot serve", Label("rule:ready-means-serving"), func() {
	It("does not look ready", Case("S12"), func(ctx SpecContext) {
		Expect(bed.JudgeMisplaced(ctx, oracle.ReadyMeansServing)).To(Hold())
	})
})
