package harness_test

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

func findings(verdicts ...reports.Verdict) []reports.Finding {
	var all []reports.Finding
	for _, v := range verdicts {
		f := reports.Finding{Rule: "a-rule", Verdict: v}
		if v != reports.Pass {
			f.Reason = "because of " + v.String()
		}
		all = append(all, f)
	}
	return all
}

func TestSettleNeverTurnsADoubtIntoAPass(t *testing.T) {
	const pass, fail, doubt = reports.Pass, reports.Fail, reports.Inconclusive
	for name, c := range map[string]struct {
		given   reports.Case
		verdict reports.Verdict
		reason  string
	}{
		"all rules hold":                   {reports.Case{Findings: findings(pass, pass)}, pass, ""},
		"one rule fails":                   {reports.Case{Findings: findings(pass, fail, doubt)}, fail, ""},
		"one rule is in doubt":             {reports.Case{Findings: findings(pass, doubt)}, doubt, "because of inconclusive"},
		"nothing was judged":               {reports.Case{}, doubt, "no rule was judged"},
		"rules hold, the spec ended early": {reports.Case{Findings: findings(pass), Doubt: "interrupted"}, doubt, "interrupted"},
		"a rule fails, then interrupted":   {reports.Case{Findings: findings(fail), Doubt: "interrupted"}, fail, ""},
		"not judged stays so":              {reports.Case{Verdict: reports.NotJudged, Reason: "no such tier"}, reports.NotJudged, "no such tier"},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Settle(&c.given)
			if c.given.Verdict != c.verdict || c.given.Reason != c.reason {
				t.Errorf("%s, %q; want %s, %q", c.given.Verdict, c.given.Reason, c.verdict, c.reason)
			}
		})
	}
}

func TestHoldRefusesDoubtAndEmptiness(t *testing.T) {
	for name, c := range map[string]struct {
		judgement harness.Judgement
		holds     bool
	}{
		"passed":     {findings(reports.Pass), true},
		"failed":     {findings(reports.Pass, reports.Fail), false},
		"in doubt":   {findings(reports.Pass, reports.Inconclusive), false},
		"no finding": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			holds, err := harness.Hold().Match(c.judgement)
			if err != nil || holds != c.holds {
				t.Errorf("%v, %v; want %v", holds, err, c.holds)
			}
			if !holds && harness.Hold().FailureMessage(c.judgement) == "" {
				t.Error("the failure says nothing")
			}
		})
	}
	if _, err := harness.Hold().Match(true); err == nil {
		t.Error("a bare boolean was taken for a judgement")
	}
}
