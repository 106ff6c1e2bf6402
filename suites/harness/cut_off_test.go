package harness

import (
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/floodgate-dev/floodgate/reports"
)

func TestADoubtThatASpecDidNotEndWithIsCutOff(t *testing.T) {
	doubted := Judgement{{Rule: "served", Verdict: reports.Inconclusive, Reason: "2 hits were lost"}}
	said := Hold().FailureMessage(doubted)
	for name, c := range map[string]struct {
		state    types.SpecState
		message  string
		findings Judgement
		want     bool
	}{
		"Hold says so":                  {types.SpecStateFailed, said, doubted, false},
		"the harness cannot go on":      {types.SpecStateFailed, "read the ledger: no space left", doubted, true},
		"time was over":                 {types.SpecStateTimedout, said, doubted, true},
		"it panicked":                   {types.SpecStatePanicked, "index out of range", doubted, true},
		"it passed all the same":        {types.SpecStatePassed, "", doubted, false},
		"nothing is in doubt, as it is": {types.SpecStateTimedout, "", Judgement{{Verdict: reports.Fail}}, false},
	} {
		report := types.SpecReport{State: c.state, Failure: types.Failure{Message: c.message}}
		if got := cutOff(report, c.findings); got != c.want {
			t.Errorf("%s: cut off %t, want %t", name, got, c.want)
		}
	}
}
