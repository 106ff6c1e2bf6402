package reports_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/reports"
)

func TestReadinessStepsTellUnseenFromNotLookedFor(t *testing.T) {
	began := time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)
	r := reports.Readiness{
		Variant: "open", Began: began, Programmed: began.Add(4 * time.Millisecond), Limits: began.Add(1500 * time.Millisecond),
		Unseen: map[string]string{"firstDenied": "no quota", "accepted": "no policy"},
	}
	if diff := cmp.Diff([]string{"0.00 s", "not seen", "", "1.50 s", "", "not seen"}, r.Steps()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"open: Accepted was not seen: no policy", "open: first 429 was not seen: no quota"}, r.Notes()); diff != "" {
		t.Error(diff)
	}
	if len(r.Steps()) != len(reports.ReadinessSteps()) {
		t.Errorf("%d steps have %d names", len(r.Steps()), len(reports.ReadinessSteps()))
	}
}

func TestOnlyAGapAboveItsBudgetIsLate(t *testing.T) {
	for name, test := range map[string]struct {
		gap, budget float64
		none, want  bool
	}{
		"below": {gap: 29.99, budget: 30}, "equal": {gap: 30, budget: 30}, "above": {gap: 30.01, budget: 30, want: true},
		"no budget": {gap: 99}, "no gap": {none: true, budget: 30},
	} {
		r := reports.Readiness{Gap: &test.gap, Budget: test.budget}
		if test.none {
			r.Gap = nil
		}
		if r.Late() != test.want {
			t.Errorf("%s: late is %v", name, r.Late())
		}
	}
}

func TestReadinessAndDiagnosesSurviveTheRecordFile(t *testing.T) {
	gap := 2.0
	began := time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)
	want := &reports.Record{
		APIVersion: reports.APIVersion,
		Readiness: []reports.Readiness{{
			Variant: "twin", Began: began, Enforced: began.Add(time.Second), FirstDenied: began.Add(3 * time.Second), Hits: 3, Gap: &gap, Budget: 30,
			Unseen: map[string]string{"limits": "no limiter's HTTP API can be reached"},
		}},
		Diagnoses: []reports.Diagnosis{{Case: "B02", Lane: "smoke", Dir: "diagnosis/B02"}},
	}
	path := filepath.Join(t.TempDir(), reports.RecordFile)
	if err := reports.Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := reports.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestADiagnosisIsOfItsCaseAlone(t *testing.T) {
	r := &reports.Record{Diagnoses: []reports.Diagnosis{
		{Case: "B02", Lane: "seed", Dir: "diagnosis/B02-seed"}, {Step: "limiter", Dir: "diagnosis/limiter"}, {Case: "B02", Lane: "smoke", Dir: "diagnosis/B02"},
	}}
	for name, test := range map[string]struct {
		problem reports.Problem
		want    string
	}{
		"smoke": {reports.Problem{Case: &reports.Case{ID: "B02", Lane: "smoke"}}, "diagnosis/B02"},
		"seed":  {reports.Problem{Case: &reports.Case{ID: "B02", Lane: "seed"}}, "diagnosis/B02-seed"},
		"other": {reports.Problem{Case: &reports.Case{ID: "B03", Lane: "smoke"}}, ""},
		"stack": {reports.Problem{}, "diagnosis/limiter"},
	} {
		got := ""
		if d := test.problem.Diagnosis(r); d != nil {
			got = d.Dir
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
