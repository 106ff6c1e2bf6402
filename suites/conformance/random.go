package conformance

import (
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A policy that nobody wrote", Label("rule:as-modelled"), func() {
	It("decides each hit as its reference model does", Serial, harness.On(harness.Edits), Case("R01"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		rules := []string{oracle.AsModelled, oracle.Served}

		var all harness.Judgement
		for n, trial := range edits.Trials() {
			tried := edits.Try(ctx, trial, strconv.Itoa(n+1))
			judged := tried.Judge(ctx, rules...)
			all = append(all, judged...)
			if judged.Verdict() == reports.Fail {
				edits.Reproduce(ctx, tried, judged, rules...)
				break
			}
		}

		Expect(all).To(Hold())
	})
})
