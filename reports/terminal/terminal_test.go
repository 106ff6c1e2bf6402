package terminal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/internal/golden"
	"github.com/floodgate-dev/floodgate/reports/terminal"
)

func TestEndMatchesGolden(t *testing.T) {
	for _, name := range golden.Runs() {
		t.Run(name, func(t *testing.T) {
			r := golden.Record(t, name)
			var out bytes.Buffer
			if err := (terminal.Printer{Out: &out, Dir: "out/" + r.Run}).End(r); err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, name+".txt", out.Bytes())
		})
	}
}

func TestAPassWithDoubtsIsLoud(t *testing.T) {
	r := golden.Doubted(t)
	var out bytes.Buffer
	if err := (terminal.Printer{Out: &out, Dir: "out/" + r.Run}).End(r); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "doubted.txt", out.Bytes())
}

func TestWorkersOfASharedRun(t *testing.T) {
	r := golden.Shared(t)
	var out bytes.Buffer
	if err := (terminal.Printer{Out: &out, Dir: "out/" + r.Run}).End(r); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "shared.txt", out.Bytes())
}

func TestDeclaredWeaknessesAreTold(t *testing.T) {
	r := golden.Weak(t)
	var out bytes.Buffer
	if err := (terminal.Printer{Out: &out, Dir: "out/" + r.Run}).End(r); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "weak.txt", out.Bytes())
}

func TestAFailureNamesItsDiagnosis(t *testing.T) {
	const line = "\n  diagnosis out/20261122T210000Z/diagnosis/B02\n  again "
	got := failures(t, golden.Clustered(t), false)
	if strings.Count(got, "diagnosis ") != strings.Count(got, "B02 no-overrun") || !strings.Contains(got, line) {
		t.Errorf("want %q for B02 and for nobody else:\n%s", line, got)
	}
}

func TestAStackThatDidNotComeUpNamesItsDiagnosis(t *testing.T) {
	r := &reports.Record{Reason: "istiod did not come up", Diagnoses: []reports.Diagnosis{{Step: "istiod", Dir: "diagnosis/istiod"}}}
	if got := failures(t, r, false); !strings.Contains(got, "\n  diagnosis out/20261122T210000Z/diagnosis/istiod\n") {
		t.Errorf("the folder is not named:\n%s", got)
	}
}

func TestFailureReadsAsDesigned(t *testing.T) {
	r := &reports.Record{
		Verdict: reports.Fail,
		Cases: []reports.Case{{
			ID: "B02", Verdict: reports.Fail, Again: "floodgate run --provider local --case B02 --seed 41",
			Findings: []reports.Finding{{
				Rule: "no-overrun", Guarantee: "a counter admits at most its quota in one window", Verdict: reports.Fail,
				Reason:  "window 1, opened at 84ms, admitted 12 of 10 hits",
				Subject: "premium/premiumuser1-7f3a", Limit: "10 hits / 2m0s",
				Component: reports.Limiter, Attribution: "the limiter answered all 12 (its authorized_calls +12)",
				Evidence: reports.Evidence{Ledger: "ledger/B02.jsonl", Entries: []int{11, 12}},
			}},
		}},
	}
	const want = `FAIL  B02 no-overrun: a counter admits at most its quota in one window
  window 1, opened at 84ms, admitted 12 of 10 hits; the limiter answered all 12 (its authorized_calls +12)
  subject   premium/premiumuser1-7f3a      limit 10 hits / 2m
  evidence  out/20261122T210000Z/ledger/B02.jsonl, entries 11 and 12
  again     floodgate run --provider local --case B02 --seed 41

`
	if got := failures(t, r, false); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestFailureNamesTheComponentThatItsReasonDoesNot(t *testing.T) {
	r := golden.Record(t, "fail")
	got := failures(t, r, false)
	if !strings.Contains(got, "I15 reconciled") || !strings.Contains(got, "\n  blames    gateway\n") {
		t.Errorf("no line blames the gateway:\n%s", got)
	}
	if strings.Contains(got, "blames    limiter") {
		t.Errorf("a reason that names the limiter is followed by a line that repeats it:\n%s", got)
	}
}

func TestHostileTextCannotDriveTheTerminal(t *testing.T) {
	r := golden.Record(t, "fail")
	r.Warnings = []string{"\x1b]0;owned\x07\r\u009b31m"}
	r.Stack.Components[0].Version = "\x1b[2J"
	r.Tiers[0].Name = "\x1b[31mfree"
	var out bytes.Buffer
	if err := (terminal.Printer{Out: &out, Dir: "out/x"}).End(r); err != nil {
		t.Fatal(err)
	}
	if at := strings.IndexAny(out.String(), "\x1b\x07\r\u009b\u202e"); at >= 0 {
		t.Errorf("a control character got through: %q", out.String()[at:min(at+40, out.Len())])
	}
}

func TestColourOnlyWhenAsked(t *testing.T) {
	r := golden.Record(t, "fail")
	if got := failures(t, r, true); !strings.Contains(got, "\x1b[31mFAIL\x1b[0m  B02") {
		t.Errorf("FAIL is not red:\n%q", got)
	}
}

func TestAWriterThatFailsIsAnError(t *testing.T) {
	r := golden.Weak(t)
	printer := terminal.Printer{Out: broken{}}
	for name, print := range map[string]func(*reports.Record) error{
		"Failures": printer.Failures, "Weaknesses": printer.Weaknesses, "TierTable": printer.TierTable, "LastLine": printer.LastLine, "End": printer.End,
	} {
		if err := print(r); !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want %v", name, err, errBroken)
		}
	}
}

var errBroken = errors.New("broken pipe")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func failures(t *testing.T, r *reports.Record, colour bool) string {
	t.Helper()
	var out bytes.Buffer
	if err := (terminal.Printer{Out: &out, Dir: "out/20261122T210000Z", Colour: colour}).Failures(r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
