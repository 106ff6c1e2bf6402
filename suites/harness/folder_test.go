package harness_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const ms = time.Millisecond

// overrun is a run's folder with one case: a fresh caller with a quota of 2
// was admitted 3 times in one window.
func overrun(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := harness.WriteSession(dir, harness.Session{Run: "r"}); err != nil {
		t.Fatal(err)
	}
	ledger, err := evidence.Create(filepath.Join(dir, "ledger", "B01.jsonl"), evidence.Header{Case: "B01"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		at := time.Duration(i) * 10 * ms
		err := ledger.Append(&evidence.Entry{
			Hit: string(rune('a' + i)), Attack: "a1", Seq: uint64(i), Identity: "free/alice",
			Sent: at, Received: at + 5*ms, Outcome: evidence.Admitted, Status: 200, From: evidence.FromBackend,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "questions", "B01-1.json"), oracle.Question{
		Case: "B01", Rules: []string{oracle.NoOverrun}, Model: oracle.FirstHit, Ledger: "ledger/B01.jsonl",
		Subject: oracle.Subject{Identity: "free/alice", Name: "alice", Fresh: true, Limits: []tier.Limit{
			{Name: "free", Quota: 2, Unit: tier.Hits, Window: time.Minute, Counters: []string{"auth.identity.userid"}},
		}},
		Attacks: []oracle.Attack{{Name: "a1", Planned: 3, OneAtATime: true}},
	})
	write(t, filepath.Join(dir, "cases", "B01.json"), reports.Case{
		ID: "B01", Verdict: reports.Pass, Began: time.Now(), Evidence: []string{"ledger/B01.jsonl", "questions/B01-1.json"},
	})
	return dir
}

func write(t *testing.T, path string, value any) {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRejudgeReplacesAnOldVerdict(t *testing.T) {
	dir := overrun(t)
	if err := harness.Rejudge(dir); err != nil {
		t.Fatal(err)
	}
	var record reports.Record
	if err := harness.Assemble(dir, &record); err != nil {
		t.Fatal(err)
	}
	if record.Verdict != reports.Fail || len(record.Cases) != 1 || record.Cases[0].Verdict != reports.Fail {
		t.Fatalf("verdict %s, cases %+v; want a fail", record.Verdict, record.Cases)
	}
	want := reports.IdentityTally{Name: "alice", Tier: "free", Case: "B01", Sent: 3, Admitted: 3}
	if len(record.Identities) != 1 || record.Identities[0] != want {
		t.Errorf("identities %+v, want %+v", record.Identities, want)
	}
}

func TestAPlannedCaseWithoutAResultIsADoubt(t *testing.T) {
	dir := overrun(t)
	if err := harness.WriteSession(dir, harness.Session{Planned: []string{"B01", "W01-seed"}}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "cases", "B01.json")); err != nil {
		t.Fatal(err)
	}
	var record reports.Record
	if err := harness.Assemble(dir, &record); err != nil {
		t.Fatal(err)
	}
	if record.Verdict != reports.Inconclusive || len(record.Cases) != 2 || record.Cases[1].ID != "W01" || record.Cases[1].Lane != "seed" {
		t.Errorf("%s, %+v; want two doubts", record.Verdict, record.Cases)
	}
}

func TestAVoidCaseStaysADoubt(t *testing.T) {
	dir := overrun(t)
	if err := harness.Doubt(dir, time.Time{}, "limitador ended"); err != nil {
		t.Fatal(err)
	}
	if err := harness.Rejudge(dir); err != nil {
		t.Fatal(err)
	}
	cases, err := harness.ReadCases(dir)
	if err != nil || cases["B01"].Verdict != reports.Inconclusive {
		t.Errorf("%s, %v; want inconclusive also when judged again", cases["B01"].Verdict, err)
	}
}

func TestRejudgeMissesAQuestion(t *testing.T) {
	dir := overrun(t)
	write(t, filepath.Join(dir, "questions", "B01-2.json"), oracle.Question{Case: "B01", Ledger: "ledger/B01.jsonl"})
	if err := harness.Rejudge(dir); err == nil || !strings.Contains(err.Error(), "B01-2.json") {
		t.Errorf("error %v, want one that names the question that the case leaves out", err)
	}
}

func TestRejudgeDoubtsATruncatedLedger(t *testing.T) {
	dir := overrun(t)
	path := filepath.Join(dir, "ledger", "B01.jsonl")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content[:len(content)-20], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := harness.Rejudge(dir); err != nil {
		t.Fatal(err)
	}
	cases, err := harness.ReadCases(dir)
	if err != nil || cases["B01"].Verdict != reports.Inconclusive {
		t.Errorf("%+v, %v; want inconclusive: a planned hit has no entry", cases["B01"], err)
	}
}

func TestRejudgeStaysInTheRunsFolder(t *testing.T) {
	dir := overrun(t)
	write(t, filepath.Join(dir, "questions", "B01-1.json"), oracle.Question{Case: "B01", Ledger: "ledger/../../secret.jsonl"})
	if err := harness.Rejudge(dir); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Errorf("error %v, want one that names the ledger outside of the folder", err)
	}
}

func TestDoubtTakesVerdictsFromTheMomentOn(t *testing.T) {
	dir, died := t.TempDir(), time.Now()
	if err := harness.WriteSession(dir, harness.Session{}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cases", "B01.json"), reports.Case{
		ID: "B01", Verdict: reports.Fail, Began: died.Add(-time.Minute), Duration: time.Second, Findings: findings(reports.Fail),
	})
	write(t, filepath.Join(dir, "cases", "B02.json"), reports.Case{
		ID: "B02", Verdict: reports.Fail, Began: died.Add(-time.Second), Duration: 2 * time.Second, Findings: findings(reports.Fail),
	})
	if err := harness.Doubt(dir, died, "limitador ended"); err != nil {
		t.Fatal(err)
	}
	cases, err := harness.ReadCases(dir)
	if err != nil {
		t.Fatal(err)
	}
	if cases["B01"].Verdict != reports.Fail {
		t.Errorf("B01 ended before: %s", cases["B01"].Verdict)
	}
	if got := cases["B02"]; got.Verdict != reports.Inconclusive || !strings.Contains(got.Reason, "limitador ended") {
		t.Errorf("B02 was under way: %s, %q", got.Verdict, got.Reason)
	}
}

func TestEventsAreReadWhole(t *testing.T) {
	dir := t.TempDir()
	reader, err := harness.FollowEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}()
	file, err := os.OpenFile(filepath.Join(dir, "events.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, part := range []string{`{"case":"B01",`, `"kind":"began"}` + "\n" + `{"case":"B02","kind":"ended"}` + "\n{"} {
		if event, ok, err := reader.Next(); ok || err != nil {
			t.Fatalf("half a line gave %+v, %v", event, err)
		}
		if _, err := file.WriteString(part); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"B01", "B02"} {
		event, ok, err := reader.Next()
		if err != nil || !ok || event.Case != want {
			t.Fatalf("%+v, %v, %v; want %s", event, ok, err, want)
		}
	}
	if _, ok, _ := reader.Next(); ok {
		t.Error("half a line was taken for an event")
	}
}
