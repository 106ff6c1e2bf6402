package junit

import (
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

func newCase(kase *reports.Case, r *reports.Record, options Options) testcase {
	result := testcase{
		ClassName: reports.Visible("floodgate." + kase.Lane),
		Name:      reports.Visible(kase.ID + " " + kase.Title),
		Time:      seconds(kase.Duration),
		Properties: &properties{[]property{
			{"case", reports.Visible(kase.ID)},
			{"verdict", kase.Verdict.String()},
		}},
	}
	if kase.Variant != "" {
		result.Properties.Properties = append(result.Properties.Properties, property{"variant", reports.Visible(kase.Variant)})
	}
	for _, seen := range r.Weaknesses() {
		if seen.Case == kase {
			result.Properties.Properties = append(result.Properties.Properties,
				property{"declared weakness", reports.Visible(seen.DeclaredText(r) + ": " + seen.Finding.Reason)})
		}
	}
	if kase.Verdict == reports.NotJudged {
		result.tell(kase.Verdict, kase.Reason, "", options)
		return result
	}
	var message string
	var text []string
	for _, problem := range r.Problems() {
		if problem.Case != kase {
			continue
		}
		if message == "" {
			message = problem.Reason(r)
		}
		text = append(text, problemText(r, problem))
	}
	result.tell(kase.Verdict, message, strings.Join(text, "\n"), options)
	return result
}

// tell writes a verdict in the words that JUnit has.
func (c *testcase) tell(verdict reports.Verdict, message, text string, options Options) {
	told := &outcome{Message: reports.Visible(message), Type: verdict.String(), Text: text}
	switch verdict {
	case reports.Pass:
	case reports.Fail:
		c.Failure = told
	case reports.Inconclusive:
		if options.DoubtsAsSkipped {
			c.Skipped = told
		} else {
			c.Error = told
		}
	case reports.NotJudged:
		c.Skipped = told
	}
}

// problemText is a problem in lines, as the terminal shows it.
func problemText(r *reports.Record, problem reports.Problem) string {
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-14s%s\n", label, reports.Visible(text))
		}
	}
	line(problem.Verdict.String(), problem.Title(r))
	line("reason", problem.Reason(r))
	line("blames", string(problem.Blames()))
	if finding := problem.Finding; finding != nil {
		line("subject", finding.Subject)
		line("limit", reports.ShortLimit(finding.Limit))
		line("evidence", strings.TrimSuffix(finding.Evidence.Ledger+", "+reports.EntriesText(finding.Evidence.Entries), ", "))
	}
	if diagnosis := problem.Diagnosis(r); diagnosis != nil {
		line("diagnosis", diagnosis.Dir)
	}
	line("weakness", problem.Undeclared())
	line("change", problem.Remedy())
	line("policy", problem.Policy())
	line("again", problem.Again())
	return b.String()
}
