package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/selftest"
	suite "github.com/floodgate-dev/floodgate/suites/selftest"
)

// selfTestResult is the result of the last whole self-test that was checked in:
//
//	floodgate selftest --json tools/floodgate/testdata/selftest.json
const selfTestResult = "testdata/selftest.json"

// checkedIn is that result.
func checkedIn(t *testing.T) *selftest.Report {
	t.Helper()
	result, err := selftest.Load(selfTestResult)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestTheSelfTestIsOfThisSuite holds the result that is checked in to the faults
// and correct systems that there are: one that is new was not tried yet.
func TestTheSelfTestIsOfThisSuite(t *testing.T) {
	result := checkedIn(t)
	faults, err := everyFault()
	if err != nil {
		t.Fatal(err)
	}
	var live, tried, correct, found []string
	for _, fault := range faults {
		if fault.Unshown == "" {
			live = append(live, fault.Name)
		}
	}
	for _, trial := range result.Single {
		tried = append(tried, trial.Name())
	}
	for _, variant := range suite.Variants() {
		correct = append(correct, variant.Name)
	}
	for _, variant := range result.Correct {
		found = append(found, variant.Name)
	}
	slices.Sort(live)
	slices.Sort(tried)
	const again = "run floodgate selftest --json tools/floodgate/" + selfTestResult
	if diff := cmp.Diff(live, tried); diff != "" {
		t.Errorf("the faults that were tried are not those that there are: %s\n%s", again, diff)
	}
	if diff := cmp.Diff(correct, found); diff != "" {
		t.Errorf("the correct systems that were tried are not those that there are: %s\n%s", again, diff)
	}
	if result.Verdict != reports.Pass || result.Sampled || result.Killed != result.Faults || result.Alarms != 0 {
		t.Errorf("the self-test that is checked in is %s, %d of %d killed, %d alarms, sampled: %v",
			result.Verdict, result.Killed, result.Faults, result.Alarms, result.Sampled)
	}
	if result.Faults < 70 || result.Variants < 15 {
		t.Errorf("%d faults and %d correct systems, want 70 and 15 at least", result.Faults, result.Variants)
	}
	if diff := cmp.Diff(counts(result), counts(settled(*result))); diff != "" {
		t.Errorf("its numbers are not those of its parts: %s", diff)
	}
}

// counts are the numbers that a reader is told.
func counts(r *selftest.Report) map[string]int {
	return map[string]int{
		"faults": r.Faults, "killed": r.Killed, "attributed": r.Attributed, "pairs": r.Pairs, "pairsKilled": r.PairsKilled,
		"pairsBoth": r.PairsBoth, "variants": r.Variants, "alarms": r.Alarms, "judged": r.Judged, "doubts": r.Doubts,
	}
}

func settled(r selftest.Report) *selftest.Report {
	r.Settle(ruleNames())
	return &r
}

// TestReadmeTellsTheSelfTest keeps the README's figures true, wherever it tells
// them.
func TestReadmeTellsTheSelfTest(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	result := checkedIn(t)
	told := false
	for pattern, want := range map[string]string{
		`(\d+) of (\d+)\s+named\s+faults\s+killed`:       fmt.Sprintf("%d of %d", result.Killed, result.Faults),
		`(\d+)\s+alarms? on (\d+)\s+correct\s+systems`:   fmt.Sprintf("%d of %d", result.Alarms, result.Variants),
		`(\d+) of (\d+)\s+blamed\s+on\s+the\s+component`: fmt.Sprintf("%d of %d", result.Attributed, result.Faults),
	} {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(readme), -1) {
			told = true
			if got := match[1] + " of " + match[2]; got != want {
				t.Errorf("the README says %q where the self-test has %s", match[0], want)
			}
		}
	}
	if !told {
		t.Error("the README does not tell the self-test's figures")
	}
	took := fmt.Sprintf("The last whole one, in %.1f minutes", result.Duration.Minutes())
	if !strings.Contains(string(readme), took) {
		t.Errorf("the README does not say %q", took)
	}
}
