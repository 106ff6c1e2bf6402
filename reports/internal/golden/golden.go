// Package golden holds the sample runs that the writers' tests draw, and
// compares what they draw with files.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/reports"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Runs are the names of the sample runs.
func Runs() []string { return []string{"pass", "fail", "interrupted"} }

// Dir is the folder of a sample run, seen from a package below reports.
func Dir(run string) string { return filepath.Join("..", "testdata", "runs", run) }

// Record is the record of a sample run.
func Record(t *testing.T, run string) *reports.Record {
	t.Helper()
	r, err := reports.Load(filepath.Join(Dir(run), reports.RecordFile))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Shared is a sample run whose attacks several workers have shared.
func Shared(t *testing.T) *reports.Record {
	t.Helper()
	r := Record(t, "pass")
	r.Cases[0].Workers = []reports.Worker{{
		Attack: "a1", Name: "worker-0", Planned: 15, Fired: 15, Offset: 1_250_000, Uncertainty: 84_300,
		Note: "fires alone: one hit at a time cannot be shared",
	}}
	r.Cases[1].Workers = []reports.Worker{
		{Attack: "a1", Name: "worker-0", Planned: 34, Fired: 34, PlannedRate: 33.3, Rate: 33.2, Offset: 1_240_000, Uncertainty: 91_000},
		{Attack: "a1", Name: "worker-1", Planned: 33, Fired: 30, Lost: 3, PlannedRate: 33.3, Rate: 28.9, Offset: -7_200_000_000_000, Uncertainty: 512_000},
		{Attack: "a1", Name: "worker-10", Planned: 33, Fired: 33, PlannedRate: 33.3, Rate: 33.3, Uncertainty: 20_000},
	}
	return r
}

// Doubted is a sample run that passes although one of its cases could not tell.
func Doubted(t *testing.T) *reports.Record {
	t.Helper()
	r := Record(t, "pass")
	r.Doubt.Budget = 0.2
	for i := range r.Cases {
		if r.Cases[i].ID != "C01" {
			continue
		}
		f := &r.Cases[i].Findings[0]
		f.Verdict, f.Reason = reports.Inconclusive, "2 of 60 hits were lost: nobody answered"
		f.Remedy = "see why nobody answered, and run it alone"
		r.Cases[i].Verdict, r.Cases[i].Reason = reports.Inconclusive, f.Reason
	}
	r.Settle()
	return r
}

// Clustered is a sample run on a cluster: its policies came into force one after
// the other, one of them too late, and logs were collected for a case.
func Clustered(t *testing.T) *reports.Record {
	t.Helper()
	r := Record(t, "fail")
	began := time.Date(2026, 11, 22, 20, 59, 0, 0, time.UTC)
	after := func(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }
	short, long := 1.98, 31.25
	r.Readiness = []reports.Readiness{{
		Variant: "policy", Began: began, Programmed: after(0.004), Accepted: after(1), Enforced: after(14.72), Limits: after(14.8),
		Refused: after(15.1), FirstDenied: after(16.7), Hits: 9, Gap: &short, Budget: 30,
	}, {
		Variant: "open", Began: began, Programmed: after(0.01), Limits: after(0.1), Refused: after(15.2),
		Unseen: map[string]string{"firstDenied": "no tier with callers has a quota of at most 60 hits <b>|\u202e"},
	}, {
		Variant: "twin", Began: began, Programmed: after(0.005), Accepted: after(1.1), Enforced: after(2), Limits: after(15.8),
		Refused: after(16), FirstDenied: after(33.25), Hits: 64, Gap: &long, Budget: 30,
	}}
	r.Diagnoses = []reports.Diagnosis{{Step: "gateway", Dir: "diagnosis/gateway"}}
	for _, kase := range r.Cases {
		if kase.ID == "B02" {
			r.Diagnoses = append(r.Diagnoses, reports.Diagnosis{Case: kase.ID, Lane: kase.Lane, Dir: "diagnosis/B02"})
		}
	}
	return r
}

// Weak is a sample run that declares weaknesses of the system under test, met
// one of them, and met one that it does not declare.
func Weak(t *testing.T) *reports.Record {
	t.Helper()
	r := Record(t, "fail")
	r.Declared = []reports.Declaration{
		{Name: "fail-open", About: "a hit that no limiter answers in time passes <b>", By: "provider local"},
		{Name: "fresh-counters", About: "a limiter that is started anew has counted nothing", By: "provider local"},
		{Name: "expiry-race", About: "one hit more at the end of a window", By: "--declare"},
	}
	for i := range r.Cases {
		switch kase := &r.Cases[i]; kase.ID {
		case "B01":
			kase.Findings = append(kase.Findings, reports.Finding{
				Rule: "comes-back", Guarantee: "a limiter that is replaced loses no more than what it had counted", Verdict: reports.Pass,
				Reason: "the limiter was deleted: 5 hits were admitted; as declared: fresh-counters, fail-open", Subject: "free/b01 <b>|\u202e",
				Limit: "2 hits / 2m0s", Evidence: reports.Evidence{Ledger: "ledger/B01.jsonl"}, Weaknesses: []string{"fresh-counters", "fail-open"},
			})
		case "B02":
			kase.Findings = append(kase.Findings, reports.Finding{
				Rule: "stopped-is-silent", Guarantee: "a limiter that was told to stop decides nothing more", Verdict: reports.Fail,
				Reason: "2 of 5 hits were denied by a limiter that was told to stop", Subject: "free/b02", Component: reports.Limiter,
				Weaknesses: []string{"stop-lingers"},
			})
		}
	}
	return r
}

// Compare fails the test where got differs from testdata/name; with -update it
// writes the file instead.
func Compare(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (read the difference, then go test -update):\n%s", path, diff)
	}
}
