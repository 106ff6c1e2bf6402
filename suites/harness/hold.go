package harness

import (
	"fmt"
	"strings"

	gomegatypes "github.com/onsi/gomega/types"

	"github.com/floodgate-dev/floodgate/reports"
)

// Judgement is what the oracle found for one or more questions.
type Judgement []reports.Finding

// Verdict is the worst of the findings; no finding is inconclusive.
func (j Judgement) Verdict() reports.Verdict {
	verdicts := make([]reports.Verdict, len(j))
	for i, finding := range j {
		verdicts[i] = finding.Verdict
	}
	return reports.Worst(verdicts...)
}

// doubtWord begins what Hold says of a judgement that is in doubt and in nothing
// worse.
const doubtWord = "INCONCLUSIVE  "

// Hold matches a judgement all of whose rules hold. A doubt does not hold: a
// spec that cannot know must not look like one that passed.
func Hold() gomegatypes.GomegaMatcher { return holds{} }

type holds struct{}

func (holds) Match(actual any) (bool, error) {
	judgement, ok := actual.(Judgement)
	if !ok {
		return false, fmt.Errorf("Hold matches a harness.Judgement, not %T", actual)
	}
	return judgement.Verdict() == reports.Pass, nil
}

func (holds) FailureMessage(actual any) string {
	judgement, ok := actual.(Judgement)
	if !ok || len(judgement) == 0 {
		return "INCONCLUSIVE  no rule was judged"
	}
	var b strings.Builder
	for _, finding := range judgement {
		if finding.Verdict == reports.Pass {
			continue
		}
		fmt.Fprintf(&b, "%s  %s: %s\n  %s\n", strings.ToUpper(finding.Verdict.String()), finding.Rule, finding.Guarantee, finding.Reason)
		if finding.Subject != "" {
			fmt.Fprintf(&b, "  subject   %s      limit %s\n", finding.Subject, finding.Limit)
		}
		if finding.Attribution != "" {
			fmt.Fprintf(&b, "  because   %s\n", finding.Attribution)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func (h holds) NegatedFailureMessage(any) string { return "every rule held" }
