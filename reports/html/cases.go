package html

import (
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

type casesView struct {
	Counts reports.Counts
	Cases  []caseView
	// LeftOut are cases beyond the page's size.
	LeftOut int
}

type caseView struct {
	*reports.Case
	// Anchor is where #B12 leads to: here, or to the case's problem, which
	// then is Problem.
	Anchor, Problem string
	// Variant is set if the case did not run on the user's policy as it is.
	Variant string
	Took    string
	Why     string
	Shown   []reports.Finding
	LeftOut int
}

func viewCases(p *page) any {
	view := casesView{Counts: p.Record.Counts()}
	troubled := make(map[*reports.Case]bool)
	for _, problem := range p.problems {
		troubled[problem.Case] = true
	}
	cases, leftOut := head(p.Record.Cases, p.size.rows)
	view.LeftOut = leftOut
	for i := range cases {
		kase := &cases[i]
		row := caseView{Case: kase, Took: took(kase.Duration), Why: why(kase)}
		row.Shown, row.LeftOut = head(kase.Findings, p.size.findings)
		if troubled[kase] {
			row.Problem = p.anchors[kase]
		} else {
			row.Anchor = p.anchors[kase]
		}
		if kase.Variant != reports.MainVariant {
			row.Variant = kase.Variant
		}
		view.Cases = append(view.Cases, row)
	}
	return view
}

// why is the reason of a case that did not pass: its own, else the first that
// a finding of the case's verdict gives.
func why(kase *reports.Case) string {
	if kase.Reason != "" || kase.Verdict == reports.Pass {
		return kase.Reason
	}
	for _, finding := range kase.Findings {
		if finding.Verdict == kase.Verdict && finding.Reason != "" {
			return finding.Reason
		}
	}
	return "the record gives no reason"
}

func took(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return reports.ShortDuration(d.Round(time.Second))
	}
}
