package reports

import (
	"cmp"
	"fmt"
)

// Problem is what a reader must see first: one fail or one doubt.
type Problem struct {
	Verdict Verdict
	// Case is nil if the run as a whole is meant.
	Case *Case
	// Finding is nil if the case is in trouble without a finding that says so.
	Finding *Finding
}

// Problems are the record's fails in the order of its cases, then its doubts.
func (r *Record) Problems() []Problem {
	problems := r.problems(Fail)
	return append(problems, r.problems(Inconclusive)...)
}

func (r *Record) problems(verdict Verdict) []Problem {
	var problems []Problem
	for i := range r.Cases {
		kase := &r.Cases[i]
		explained := false
		for j := range kase.Findings {
			if finding := &kase.Findings[j]; finding.Verdict == verdict {
				problems = append(problems, Problem{Verdict: verdict, Case: kase, Finding: finding})
				explained = true
			}
		}
		if kase.Verdict == verdict && !explained {
			problems = append(problems, Problem{Verdict: verdict, Case: kase})
		}
	}
	if r.Verdict == verdict && len(problems) == 0 || r.Interrupted && verdict == Inconclusive {
		problems = append([]Problem{{Verdict: verdict}}, problems...)
	}
	return problems
}

// Title names the guarantee that is broken or in doubt, such as
// "B02 no-overrun: a counter admits at most its quota in one window".
func (p Problem) Title(r *Record) string {
	switch {
	case p.Case == nil && r.Interrupted:
		return "run: did not end in order"
	case p.Case == nil:
		return "run: no case tells the verdict"
	case p.Finding == nil:
		return p.Case.ID + ": " + p.Case.Title
	default:
		return fmt.Sprintf("%s %s: %s", p.Case.ID, p.Finding.Rule, p.Finding.Guarantee)
	}
}

// Reason says what was seen and why a component is blamed, never nothing.
func (p Problem) Reason(r *Record) string {
	reason, attribution := cmp.Or(r.Reason, r.unjudged()), ""
	if p.Case != nil {
		reason = p.Case.Reason
	}
	if p.Finding != nil {
		reason, attribution = p.Finding.Reason, p.Finding.Attribution
	}
	switch {
	case reason == "" && attribution == "":
		return "the record gives no reason"
	case reason == "":
		return attribution
	case attribution == "":
		return reason
	default:
		return reason + "; " + attribution
	}
}

// unjudged is why no case was judged, "" if one was or none says why.
func (r *Record) unjudged() string {
	var why string
	for _, kase := range r.Cases {
		if kase.Verdict != NotJudged {
			return ""
		}
		if why == "" && kase.Reason != "" {
			why = kase.ID + " was not judged: " + kase.Reason
		}
	}
	if why == "" || len(r.Cases) == 1 {
		return why
	}
	return fmt.Sprintf("none of %d cases was judged; %s", len(r.Cases), why)
}

// Blames is the component that a fail accuses, Unattributed if none.
func (p Problem) Blames() Component {
	if p.Finding == nil {
		return Unattributed
	}
	return p.Finding.Component
}

// Again is the command that shows the problem again, "" if unknown.
func (p Problem) Again() string {
	if p.Case == nil {
		return ""
	}
	return p.Case.Again
}

// Policy is the manifest of the drawn policy that shows the problem, relative to
// the run's folder, "" if none was drawn.
func (p Problem) Policy() string {
	if p.Case == nil {
		return ""
	}
	return p.Case.Policy
}

// Remedy says what to change so that a doubt can be told, "" of a fail.
func (p Problem) Remedy() string {
	switch {
	case p.Verdict != Inconclusive:
		return ""
	case p.Finding != nil:
		return p.Finding.Remedy
	case p.Case == nil:
		return "mend what the reason names and run it again: a run that did not do what it was asked tells nothing"
	case p.Case.Void:
		return "find out from logs/ why the component ended, and run the case again"
	}
	return "see logs/specs.log for what kept the case from judging, and run it again"
}
