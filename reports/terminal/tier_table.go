package terminal

import (
	"bufio"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/floodgate-dev/floodgate/reports"
)

// TierTable prints a line per tier, then what was tested: which components
// were the product's own and which were stand-ins, and the run's warnings.
func (p Printer) TierTable(r *reports.Record) error {
	rows := [][]string{{"tier", "identities", "limit", "sent", "admitted", "denied", "other", "verdict"}}
	verdicts := []reports.Verdict{reports.NotJudged}
	for _, t := range r.TierRows() {
		limits := strings.Join(t.Limits, ", ")
		if limits == "" {
			limits = "-"
		}
		rows = append(rows, []string{
			reports.Visible(t.Label()), fmt.Sprint(t.Identities), reports.Visible(limits),
			fmt.Sprint(t.Sent), fmt.Sprint(t.Admitted), fmt.Sprint(t.Denied), fmt.Sprint(t.Other()), t.Verdict.String(),
		})
		verdicts = append(verdicts, t.Verdict)
	}
	w := bufio.NewWriter(p.Out)
	if len(rows) > 1 {
		p.align(w, rows, verdicts)
		fmt.Fprintln(w)
	}
	p.components(w, r.Stack)
	workers(w, r)
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "warning   %s\n", reports.Visible(warning))
	}
	fmt.Fprintln(w)
	return flush(w)
}

// align sets numbers to the right and words to the left; the last column, a
// verdict, gets its colour after its width is known.
func (p Printer) align(w *bufio.Writer, rows [][]string, verdicts []reports.Verdict) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		last := len(row) - 1
		for i, cell := range row[:last] {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 || i == 2 {
				fmt.Fprintf(w, "%s%s  ", cell, gap)
			} else {
				fmt.Fprintf(w, "%s%s  ", gap, cell)
			}
		}
		if n == 0 {
			fmt.Fprintln(w, row[last])
		} else {
			fmt.Fprintln(w, p.paint(verdicts[n], row[last]))
		}
	}
}

// components names parts of each origin apart, so that nobody takes the one for
// the other.
func (p Printer) components(w *bufio.Writer, stack reports.Stack) {
	byOrigin := map[string][]string{}
	for _, part := range stack.Kinds() {
		byOrigin[part.OriginLabel()] = append(byOrigin[part.OriginLabel()], reports.Visible(part.NameAndBuild()))
	}
	for _, label := range reports.OriginLabels() {
		if len(byOrigin[label]) > 0 {
			fmt.Fprintf(w, "%-9s %s\n", label, strings.Join(byOrigin[label], "; "))
		}
	}
	if len(stack.Components) == 0 {
		fmt.Fprintln(w, "tested    the record names no component")
	}
}
