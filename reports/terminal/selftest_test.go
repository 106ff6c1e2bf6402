package terminal_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/floodgate-dev/floodgate/reports/internal/golden"
	"github.com/floodgate-dev/floodgate/reports/selftest"
	"github.com/floodgate-dev/floodgate/reports/terminal"
)

func TestSelfTest(t *testing.T) {
	var out bytes.Buffer
	if err := (terminal.Printer{Out: &out}).SelfTest(golden.SelfTest(), "out/selftest/selftest.html"); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "selftest.txt", out.Bytes())
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a text of a run moves the cursor")
	}
}

// A matrix of every rule fits into a terminal.
func TestTheMatrixFitsInto100Columns(t *testing.T) {
	r := golden.SelfTest()
	var names []string
	for _, letter := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR" {
		name := "rule-" + string(letter)
		names = append(names, name)
		r.Single[0].Kills = append(r.Single[0].Kills, selftest.Kill{Rule: name})
	}
	r.Single[0].Faults[0].Name = "limitador:" + strings.Repeat("long-", 20)
	r.Single, r.Combined, r.Correct = r.Single[:1], nil, nil
	r.Settle(names)
	var out bytes.Buffer
	if err := (terminal.Printer{Out: &out}).SelfTest(r, "page"); err != nil {
		t.Fatal(err)
	}
	matrix, _, _ := strings.Cut(out.String(), "\nfound no fault")
	for line := range strings.Lines(matrix) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
