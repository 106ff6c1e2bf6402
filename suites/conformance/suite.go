// Package conformance holds the specs that prove a rate limiter's guarantees,
// one file a chapter of the catalogue. A spec says who fires what and which
// rules must hold; every number comes from the policy under test.
package conformance

import (
	"context"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/suites/harness"
)

// bed is what the specs of this process lie on.
var bed *harness.Bed

// Hold matches a judgement all of whose rules hold.
var Hold = harness.Hold

// Case ties a spec to its entry of the catalogue.
var Case = harness.Case

var _ = BeforeSuite(func(ctx SpecContext) {
	if bed != nil {
		return
	}
	runDir := os.Getenv(harness.EnvRunDir)
	Expect(runDir).NotTo(BeEmpty(), "start the specs with floodgate run, which brings the stack up and sets %s", harness.EnvRunDir)
	opened, err := harness.OpenBed(context.WithoutCancel(ctx), runDir, harness.Attach)
	Expect(err).NotTo(HaveOccurred())
	bed = opened
	DeferCleanup(opened.Close)
})

var _ = BeforeEach(func(ctx SpecContext) {
	Expect(bed.Begin(CurrentSpecReport())).To(Succeed())
})

var _ = ReportAfterEach(func(_ SpecContext, report SpecReport) {
	if bed != nil {
		Expect(bed.End(report)).To(Succeed())
	}
})
