package junit_test

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/internal/golden"
	"github.com/floodgate-dev/floodgate/reports/junit"
)

func TestRenderMatchesGolden(t *testing.T) {
	for _, name := range golden.Runs() {
		t.Run(name, func(t *testing.T) {
			golden.Compare(t, name+".xml", render(t, golden.Record(t, name), junit.Options{}))
		})
	}
}

func TestDeclaredWeaknessesAreTold(t *testing.T) {
	golden.Compare(t, "weak.xml", render(t, golden.Weak(t), junit.Options{}))
}

// parsed is what a CI system reads.
type parsed struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Cases    []struct {
		Name    string   `xml:"name,attr"`
		Failure *outcome `xml:"failure"`
		Error   *outcome `xml:"error"`
		Skipped *outcome `xml:"skipped"`
	} `xml:"testsuite>testcase"`
}

type outcome struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func TestVerdictsInJUnitsWords(t *testing.T) {
	r := golden.Record(t, "fail")
	document := parse(t, render(t, r, junit.Options{}))
	if document.Tests != 8 || document.Failures != 3 || document.Errors != 1 || document.Skipped != 1 {
		t.Errorf("got %+v, want 8 tests, 3 failures, 1 error, 1 skipped", document)
	}
	for _, kase := range document.Cases {
		switch id, _, _ := strings.Cut(kase.Name, " "); id {
		case "B02":
			if kase.Failure == nil || !strings.Contains(kase.Failure.Message, "admitted 12 of 10 hits") ||
				!strings.Contains(kase.Failure.Text, "entries 11 and 12") {
				t.Errorf("B02: %+v", kase.Failure)
			}
		case "C01":
			if kase.Error == nil || !strings.Contains(kase.Error.Message, "lost") {
				t.Errorf("C01: %+v", kase.Error)
			}
		case "M12":
			if kase.Skipped == nil || !strings.Contains(kase.Skipped.Message, "admin API") {
				t.Errorf("M12: %+v", kase.Skipped)
			}
		case "B01":
			if kase.Failure != nil || kase.Error != nil || kase.Skipped != nil {
				t.Errorf("B01 passed and is told otherwise: %+v", kase)
			}
		}
	}
	asked := parse(t, render(t, r, junit.Options{DoubtsAsSkipped: true}))
	if asked.Errors != 0 || asked.Skipped != 2 {
		t.Errorf("doubts as skipped: got %d errors and %d skipped, want 0 and 2", asked.Errors, asked.Skipped)
	}
}

func TestDoubtsWithinTheBudgetAreSkippedAndTold(t *testing.T) {
	rendered := render(t, golden.Doubted(t), junit.Options{})
	document := parse(t, rendered)
	if document.Errors != 0 || document.Failures != 0 || document.Skipped != 2 {
		t.Errorf("got %d errors, %d failures, %d skipped; want the doubt and the case that was not judged skipped",
			document.Errors, document.Failures, document.Skipped)
	}
	if !bytes.Contains(rendered, []byte(`<property name="doubt" value="1 case is in doubt: C01;`)) {
		t.Error("the suite does not tell its doubt")
	}
}

func TestARunWithoutCasesIsNotGreen(t *testing.T) {
	for _, r := range []*reports.Record{
		{},
		{Verdict: reports.Pass, Interrupted: true, Cases: []reports.Case{{ID: "B01", Verdict: reports.Pass}}},
	} {
		for _, options := range []junit.Options{{}, {DoubtsAsSkipped: true}} {
			if got := parse(t, render(t, r, options)); got.Errors != 1 {
				t.Errorf("%+v: got %d errors, want one that tells the run's doubt", r, got.Errors)
			}
		}
	}
}

func TestHostileTextLeavesValidXML(t *testing.T) {
	const hostile = "]]><testcase name=\"x\"/>&lt;\x00\x01\x1b\ufffe\xff\n\t\"'"
	r := &reports.Record{
		Verdict: reports.Fail, Run: hostile, Version: hostile, Warnings: []string{hostile}, Command: []string{hostile},
		Stack: reports.Stack{Components: []reports.Part{{Name: hostile, Origin: hostile, Version: hostile}}},
		Cases: []reports.Case{
			{ID: hostile, Title: hostile, Lane: hostile, Variant: hostile, Verdict: reports.Fail, Again: hostile, Findings: []reports.Finding{{
				Rule: hostile, Guarantee: hostile, Verdict: reports.Fail, Reason: hostile, Subject: hostile, Limit: hostile,
				Component: hostile, Attribution: hostile, Evidence: reports.Evidence{Ledger: hostile},
			}}},
			{ID: hostile, Verdict: reports.NotJudged, Reason: hostile},
		},
	}
	document := parse(t, render(t, r, junit.Options{}))
	if len(document.Cases) != 2 {
		t.Errorf("hostile text made %d testcases of 2", len(document.Cases))
	}
}

func render(t *testing.T, r *reports.Record, options junit.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := junit.Render(&out, r, options); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func parse(t *testing.T, document []byte) parsed {
	t.Helper()
	// The decoder refuses characters that XML does not have.
	decoder := xml.NewDecoder(bytes.NewReader(document))
	var got parsed
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("no valid XML: %v\n%s", err, document)
	}
	if rest := bytes.TrimSpace(document[decoder.InputOffset():]); len(rest) > 0 {
		t.Errorf("after the document stands %q", rest)
	}
	return got
}
