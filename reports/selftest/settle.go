package selftest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// Settle counts what the trials and variants came to, draws up the rules'
// column by column, and gives the report its verdict: a fault that survives, a
// correct system that is accused and attribution below its goal are fails; a
// self-test that tried nothing, or a variant that came to no verdict, is a doubt.
// rules are the names of all rules, in the order of the matrix.
func (r *Report) Settle(rules []string) {
	r.APIVersion = APIVersion
	r.count()
	r.Rules = r.columns(rules)
	r.Reasons = nil
	failed := r.faultsFailed()
	failed = append(failed, r.variantsFailed()...)
	doubts := r.doubts()
	r.Reasons = append(failed, doubts...)
	switch {
	case len(failed) > 0:
		r.Verdict = reports.Fail
	case len(doubts) > 0:
		r.Verdict = reports.Inconclusive
	default:
		r.Verdict = reports.Pass
	}
}

func (r *Report) count() {
	r.Faults, r.Killed, r.Attributed = len(r.Single), 0, 0
	for _, trial := range r.Single {
		if trial.Killed {
			r.Killed++
		}
		if trial.Killed && trial.Attributed {
			r.Attributed++
		}
	}
	r.Pairs, r.PairsKilled, r.PairsBoth = len(r.Combined), 0, 0
	for _, trial := range r.Combined {
		if trial.Killed {
			r.PairsKilled++
		}
		if !slices.ContainsFunc(trial.Faults, func(f Fault) bool { return !f.Found }) {
			r.PairsBoth++
		}
	}
	r.Variants, r.Alarms, r.Judged, r.Doubts = len(r.Correct), 0, 0, 0
	for _, variant := range r.Correct {
		r.Alarms += len(variant.Alarms)
		r.Judged += variant.Judged
		r.Doubts += variant.Doubts
	}
}

// columns are the rules and what each has found of the single faults.
func (r *Report) columns(names []string) []Rule {
	columns := make([]Rule, 0, len(names))
	for _, name := range names {
		column := Rule{Name: name}
		for _, trial := range r.Single {
			finders := trial.Finders()
			if !slices.Contains(finders, name) {
				continue
			}
			column.Kills++
			if len(finders) == 1 {
				column.Only = append(column.Only, trial.Name())
			}
		}
		columns = append(columns, column)
	}
	return columns
}

// Finders are the rules that concern the trial's faults and failed.
func (t Trial) Finders() []string {
	var names []string
	for _, kill := range t.Kills {
		if kill.Concerns {
			names = append(names, kill.Rule)
		}
	}
	return names
}

// Name is the fault's name, or the two joined.
func (t Trial) Name() string {
	names := make([]string, len(t.Faults))
	for i, fault := range t.Faults {
		names[i] = fault.Name
	}
	return strings.Join(names, " + ")
}

func (r *Report) faultsFailed() (reasons []string) {
	for _, trial := range slices.Concat(r.Single, r.Combined) {
		if !trial.Killed {
			reasons = append(reasons, fmt.Sprintf("%s survived: %s", trial.Name(), trial.Reason))
		}
	}
	if float64(r.Attributed) < AttributionGoal*float64(r.Faults) {
		reasons = append(reasons, fmt.Sprintf("%d of %d faults are blamed on the right component, below %.0f %%",
			r.Attributed, r.Faults, 100*AttributionGoal))
	}
	return reasons
}

func (r *Report) variantsFailed() (reasons []string) {
	for _, variant := range r.Correct {
		for _, alarm := range variant.Alarms {
			reasons = append(reasons, fmt.Sprintf("correct system %s was accused: %s", variant.Name, alarm))
		}
	}
	return reasons
}

func (r *Report) doubts() (reasons []string) {
	if r.Faults+r.Pairs+r.Variants == 0 {
		reasons = append(reasons, "nothing was tried")
	}
	for _, variant := range r.Correct {
		if len(variant.Alarms) == 0 && variant.Opinion() == reports.Inconclusive {
			reasons = append(reasons, fmt.Sprintf("correct system %s came to no verdict: %s", variant.Name, variant.Reason))
		}
	}
	return reasons
}

// Opinion is what a correct system's run says of the suite.
func (v Variant) Opinion() reports.Verdict {
	switch {
	case len(v.Alarms) > 0:
		return reports.Fail
	case v.Judged == 0 || v.Reason != "":
		return reports.Inconclusive
	}
	return reports.Pass
}

// Interrupt takes a verdict that is not bad back: what was not tried is not known.
func (r *Report) Interrupt() {
	if r.Verdict != reports.Fail {
		r.Verdict = reports.Inconclusive
	}
	r.Reasons = append(r.Reasons, "interrupted: not everything was tried")
}

// Summary is the last line.
func (r *Report) Summary() string {
	text := fmt.Sprintf("%s %s, %d killed, %d attributed", strings.ToUpper(r.Verdict.String()), counted(r.Faults, "fault"), r.Killed, r.Attributed)
	if r.Pairs > 0 {
		text += fmt.Sprintf("; %s, %d killed, %d by rules of both", counted(r.Pairs, "pair"), r.PairsKilled, r.PairsBoth)
	}
	text += fmt.Sprintf("; %s, %s", counted(r.Variants, "correct variant"), counted(r.Alarms, "alarm"))
	if r.Judged+r.Doubts > 0 {
		text += fmt.Sprintf(", %d of %d cases inconclusive", r.Doubts, r.Judged+r.Doubts)
	}
	return text
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
