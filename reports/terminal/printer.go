// Package terminal prints a run's outcome for people and logs: the tier table,
// what failed and why, and the last line. Text from the system under test
// cannot move the cursor or change colours.
package terminal

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/reports"
)

// Printer prints to a terminal or a log.
type Printer struct {
	Out io.Writer
	// Dir is the run's folder as the reader would type it, "out/<run>".
	Dir string
	// Colour is for terminals that know ANSI colours; verdicts are told by
	// words in any case.
	Colour bool
}

// End prints all that stands at the end of a run: failures and doubts, declared
// weaknesses that were seen, the tier table, what was tested, and the last line.
func (p Printer) End(r *reports.Record) error {
	for _, print := range []func(*reports.Record) error{p.Failures, p.Weaknesses, p.TierTable, p.LastLine} {
		if err := print(r); err != nil {
			return err
		}
	}
	return nil
}

// LastLine prints the run's verdict, counts and the path of its report.
func (p Printer) LastLine(r *reports.Record) error {
	line := reports.Visible(r.Summary(filepath.Join(p.Dir, reports.PageFile)))
	colour := r.Verdict
	if r.PassedInDoubt() {
		colour = reports.Inconclusive
	}
	return p.write(p.paint(colour, line) + "\n")
}

func (p Printer) write(text string) error {
	if _, err := io.WriteString(p.Out, text); err != nil {
		return fmt.Errorf("print the run's outcome: %w", err)
	}
	return nil
}

// flush hands over what a section of the output has gathered.
func flush(w *bufio.Writer) error {
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the run's outcome: %w", err)
	}
	return nil
}

// paint colours text by verdict with colours that both a dark and a light
// terminal show.
func (p Printer) paint(v reports.Verdict, text string) string {
	if !p.Colour {
		return text
	}
	codes := map[reports.Verdict]string{reports.Pass: "32", reports.Fail: "31", reports.Inconclusive: "33", reports.NotJudged: "2"}
	return "\x1b[" + codes[v] + "m" + text + "\x1b[0m"
}
