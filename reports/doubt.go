package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Doubt is what a run does not know, and how much of that it may have and still
// pass. A budget buys a verdict for a run that has looked and could not tell now
// and then; it never buys one for a case that did not look.
type Doubt struct {
	// Budget is the part of the judged cases that may be in doubt: 0.05 is one
	// of twenty. Without one no doubt passes.
	Budget float64 `json:"budget"`
	// Allowed is the budget in whole cases.
	Allowed int `json:"allowed"`
	// Cases are those in doubt, Uncovered those of them that no budget covers.
	Cases     []string `json:"cases,omitempty"`
	Uncovered []string `json:"uncovered,omitempty"`
	// Unshown are the rules that are in doubt and that held in no case: this run
	// does not show them at all.
	Unshown []string `json:"unshown,omitempty"`
}

// Within says whether the budget covers every doubt there is.
func (d Doubt) Within() bool { return len(d.Uncovered) == 0 && len(d.Cases) <= d.Allowed }

// Settle draws the run's verdict and its doubts from its cases. A fail anywhere
// is a fail. Doubts within the budget leave a pass that says so, unless the run
// itself is in doubt: Reason names what ended it, or what it did not do.
func (r *Record) Settle() {
	verdicts := make([]Verdict, len(r.Cases))
	for i, c := range r.Cases {
		verdicts[i] = c.Verdict
	}
	r.Verdict = Worst(verdicts...)
	r.Doubt = r.doubts()
	switch {
	case r.Verdict == Fail:
	case r.Reason != "" || r.Interrupted:
		r.Verdict = Inconclusive
	case r.Verdict == Inconclusive && slices.Contains(verdicts, Pass) && r.Doubt.Within():
		r.Verdict = Pass
	}
}

func (r *Record) doubts() Doubt {
	d := Doubt{Budget: r.Doubt.Budget}
	judged := 0
	shown, doubted := map[string]bool{}, map[string]bool{}
	for i := range r.Cases {
		c := &r.Cases[i]
		if c.Verdict != NotJudged {
			judged++
		}
		for _, f := range c.Findings {
			shown[f.Rule] = shown[f.Rule] || f.Verdict == Pass
			doubted[f.Rule] = doubted[f.Rule] || f.Verdict == Inconclusive
		}
		if c.Verdict != Inconclusive {
			continue
		}
		d.Cases = append(d.Cases, c.name())
		if !c.explained() {
			d.Uncovered = append(d.Uncovered, c.name())
		}
	}
	for rule := range doubted {
		if !shown[rule] {
			d.Unshown = append(d.Unshown, rule)
		}
	}
	slices.Sort(d.Unshown)
	if d.Budget > 0 && d.Budget <= 1 {
		// 0.05 of 20 is a little less than one in floating point.
		d.Allowed = int(math.Floor(d.Budget*float64(judged) + 1e-9))
	}
	return d
}

// name tells two cases of one ID apart: real windows are a lane of their own.
func (c *Case) name() string {
	if c.Lane == "seed" {
		return c.ID + "-" + c.Lane
	}
	return c.ID
}

// explained says whether a case in doubt has looked: it ended by itself, and
// each doubt of its is a finding's, with a cause. A case that did not run, was
// cut off or judged nothing is silence.
func (c *Case) explained() bool {
	if c.Void || c.Doubt != "" || c.Began.IsZero() || c.Duration <= 0 {
		return false
	}
	explained := false
	for _, f := range c.Findings {
		if f.Verdict == Inconclusive {
			if f.Reason == "" {
				return false
			}
			explained = true
		}
	}
	return explained
}

// PassedInDoubt says whether a run passes although some cases are in doubt.
func (r *Record) PassedInDoubt() bool { return r.Verdict == Pass && len(r.Doubt.Cases) > 0 }

// mostNamed is how many cases a line names.
const mostNamed = 8

// DoubtText says loudly what a run does not know and how that stands to its
// budget, "" without any doubt.
func (r *Record) DoubtText() string {
	d := r.Doubt
	if len(d.Cases) == 0 {
		return ""
	}
	text := fmt.Sprintf("%s in doubt: %s", plural(len(d.Cases), "case is", "cases are"), some(d.Cases))
	switch {
	case len(d.Uncovered) > 0:
		text += fmt.Sprintf("; no budget covers what judged nothing: %s", some(d.Uncovered))
	case d.Within():
		text += fmt.Sprintf("; the budget is %s", plural(d.Allowed, "case", "cases"))
	default:
		text += fmt.Sprintf("; that is more than the budget of %s", plural(d.Allowed, "case", "cases"))
	}
	if len(d.Unshown) > 0 {
		text += "; not shown by any case: " + some(d.Unshown)
	}
	return text
}

func some(names []string) string {
	if len(names) <= mostNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
}
