// Package selftest judges the suite: whether it finds systems that are known to
// be broken, and leaves correct ones alone.
package selftest

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/selftest"
)

// Run is what a run of the suite has left.
type Run struct {
	// Record is the run's, nil if it left none.
	Record *reports.Record
	// Problem says what kept the run from its end, "" if nothing did.
	Problem string
	// Again is the command that repeats it, Evidence its folder.
	Again, Evidence string
}

// Read reads what a run has left below the folder that it was given for its own.
func (r *Run) Read(out string) error {
	records, err := filepath.Glob(filepath.Join(out, "*", reports.RecordFile))
	if err != nil {
		return err
	}
	if len(records) != 1 {
		return fmt.Errorf("it left %d records, want 1", len(records))
	}
	record, err := reports.Load(records[0])
	if err != nil {
		return err
	}
	r.Record = record
	if record.Interrupted {
		return fmt.Errorf("it was interrupted: %s", record.Reason)
	}
	return nil
}

// TrialOf judges a run on a system with these faults. A fault is found only by a
// rule that concerns it, and only by one that failed: a doubt finds nothing, and
// neither does a case in which a component died.
func TrialOf(faults []Fault, run Run) selftest.Trial {
	trial := selftest.Trial{Again: run.Again, Evidence: run.Evidence, Kills: []selftest.Kill{}}
	for _, fault := range faults {
		trial.Faults = append(trial.Faults, selftest.Fault{
			Name: fault.Name, About: fault.About, Blame: fault.Blame, Rules: fault.Rules,
		})
	}
	if run.Problem != "" || run.Record == nil {
		trial.Reason = "the run did not come to its end: " + run.Problem
		return trial
	}
	trial.Cases, trial.Doubts = judged(run.Record)
	trial.Kills = kills(run.Record, faults)
	for i := range trial.Faults {
		fault := &trial.Faults[i]
		for _, kill := range trial.Kills {
			if slices.Contains(fault.Rules, kill.Rule) {
				fault.Found = true
			}
		}
	}
	trial.Killed = slices.ContainsFunc(trial.Faults, func(f selftest.Fault) bool { return f.Found })
	if !trial.Killed {
		trial.Reason = survival(trial)
		return trial
	}
	trial.Attributed, trial.Reason = attribution(faults, trial.Kills)
	return trial
}

// attribution tells whether the findings that concern the faults blame a right
// component more often than any other: that is whom a reader goes to first.
// Of findings that name nobody nothing is concluded.
func attribution(faults []Fault, kills []selftest.Kill) (ok bool, reason string) {
	right, wrong := 0, map[reports.Component]int{}
	for _, kill := range kills {
		if !kill.Concerns {
			continue
		}
		for component, findings := range kill.Blamed {
			switch {
			case component == reports.Unattributed:
			case expected(faults, kill.Rule, component):
				right += findings
			default:
				wrong[component] += findings
			}
		}
	}
	most, count := reports.Unattributed, 0
	for _, component := range slices.Sorted(maps.Keys(wrong)) {
		if wrong[component] > count {
			most, count = component, wrong[component]
		}
	}
	var owners []string
	for _, fault := range faults {
		owners = with(owners, string(fault.Blame))
	}
	want := strings.Join(owners, " or ")
	switch {
	case right > count:
		return true, ""
	case right == 0 && count == 0:
		return false, "no finding names a component, want " + want
	}
	return false, fmt.Sprintf("%d of its findings blame %s, %d blame %s, which has the fault", count, most, right, want)
}

// judged counts the cases that came to a verdict and those that came to none.
func judged(record *reports.Record) (cases, doubts int) {
	for _, kase := range record.Cases {
		switch kase.Verdict {
		case reports.Pass, reports.Fail:
			cases++
		case reports.Inconclusive:
			doubts++
		case reports.NotJudged:
		}
	}
	return cases, doubts
}

// kills are the rules that failed, in the order in which the record has them.
func kills(record *reports.Record, faults []Fault) []selftest.Kill {
	found := []selftest.Kill{}
	for _, kase := range record.Cases {
		if kase.Void || kase.Verdict != reports.Fail {
			continue
		}
		for _, finding := range kase.Findings {
			if finding.Verdict != reports.Fail {
				continue
			}
			at := slices.IndexFunc(found, func(k selftest.Kill) bool { return k.Rule == finding.Rule })
			if at < 0 {
				at = len(found)
				found = append(found, selftest.Kill{
					Rule: finding.Rule, Concerns: concerns(faults, finding.Rule), Blamed: map[reports.Component]int{},
				})
			}
			kill := &found[at]
			kill.Cases = with(kill.Cases, kase.ID)
			kill.Blamed[finding.Component]++
		}
	}
	for i := range found {
		slices.Sort(found[i].Cases)
	}
	return found
}

func with[T comparable](list []T, item T) []T {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}

func concerns(faults []Fault, rule string) bool {
	return slices.ContainsFunc(faults, func(f Fault) bool { return slices.Contains(f.Rules, rule) })
}

// expected tells whether one of the faults that a rule concerns is to be blamed
// on a component.
func expected(faults []Fault, rule string, component reports.Component) bool {
	return slices.ContainsFunc(faults, func(f Fault) bool {
		return f.Blame == component && slices.Contains(f.Rules, rule)
	})
}

// survival says what a run found instead.
func survival(trial selftest.Trial) string {
	var others []string
	for _, kill := range trial.Kills {
		others = append(others, fmt.Sprintf("%s in %s", kill.Rule, strings.Join(kill.Cases, ", ")))
	}
	reason := fmt.Sprintf("no rule that concerns it failed in %d cases, %d more came to no verdict", trial.Cases, trial.Doubts)
	if len(others) > 0 {
		reason += "; other rules failed: " + strings.Join(others, "; ")
	}
	return reason
}

// VariantOf judges a run on a correct system: whatever failed is an alarm, in
// cases whose verdict does not stand as well.
func VariantOf(variant Variant, run Run) selftest.Variant {
	result := selftest.Variant{
		Name: variant.Name, About: variant.About, Alarms: []string{}, Again: run.Again, Evidence: run.Evidence,
	}
	if run.Record == nil {
		result.Reason = "the run did not come to its end: " + run.Problem
		return result
	}
	result.Verdict = run.Record.Verdict
	result.Judged, result.Doubts = judged(run.Record)
	for _, kase := range run.Record.Cases {
		for _, finding := range kase.Findings {
			if finding.Verdict == reports.Fail {
				result.Alarms = append(result.Alarms, fmt.Sprintf("%s %s: %s", kase.ID, finding.Rule, finding.Reason))
			}
		}
	}
	if result.Judged == 0 {
		result.Reason = "no case came to a verdict"
	}
	if run.Problem != "" {
		result.Reason = "the run did not come to its end: " + run.Problem
	}
	return result
}
