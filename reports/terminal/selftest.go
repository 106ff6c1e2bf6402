package terminal

import (
	"bufio"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/selftest"
)

// faultColumn is how wide the names of faults may be, so that a matrix of all
// rules fits into 100 columns.
const faultColumn = 44

// SelfTest prints a self-test: the matrix of faults and rules, the correct
// systems, what is wrong with it, and the last line with the page's path.
func (p Printer) SelfTest(r *selftest.Report, page string) error {
	w := bufio.NewWriter(p.Out)
	m := selftest.MatrixOf(r)
	if len(m.Rows) > 0 {
		p.matrix(w, m)
	}
	p.rules(w, r)
	p.variants(w, r)
	for _, untried := range r.Untried {
		fmt.Fprintf(w, "%-9s %s\n", "not tried", reports.Visible(untried))
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(w, "%-9s %s\n", "because", reports.Visible(reason))
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, p.paint(r.Verdict, reports.Visible(r.Summary()+" · "+page)))
	return flush(w)
}

// matrix prints a line per fault. A rule is a letter, told beneath: written out,
// their names would take most of the screen.
func (p Printer) matrix(w *bufio.Writer, m selftest.Matrix) {
	letters := columnLetters(len(m.Rules))
	fmt.Fprintf(w, "\n%-*s %s\n", faultColumn, "fault", strings.Join(letters, ""))
	for _, row := range m.Rows {
		var cells strings.Builder
		for _, cell := range row.Cells {
			cells.WriteString(cell.Glyph())
		}
		verdict := ""
		if row.Verdict != reports.Pass {
			verdict = " " + row.Note
		}
		fmt.Fprintln(w, p.paint(row.Verdict, cut(reports.Visible(row.Name), faultColumn)+" "+cells.String()+verdict))
	}
	fmt.Fprintf(w, "\n%s found, right component   %s found, another or none   %s failed, does not concern the fault\n\n",
		selftest.Found.Glyph(), selftest.Misblamed.Glyph(), selftest.Beside.Glyph())
	for i, rule := range m.Rules {
		fmt.Fprintf(w, "  %s %-22s", letters[i], rule)
		if i%3 == 2 || i == len(m.Rules)-1 {
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintln(w)
}

// columnLetters name columns: a to z, A to Z, and then digits.
func columnLetters(count int) []string {
	const all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	letters := make([]string, count)
	for i := range letters {
		letters[i] = all[i%len(all) : i%len(all)+1]
	}
	return letters
}

// cut is the text in so many columns, its end left out or spaces added.
func cut(text string, columns int) string {
	if length := utf8.RuneCountInString(text); length <= columns {
		return text + strings.Repeat(" ", columns-length)
	}
	return string([]rune(text)[:columns-1]) + "…"
}

// rules tells what the suite would miss without single rules, and which rules
// found nothing.
func (p Printer) rules(w *bufio.Writer, r *selftest.Report) {
	var idle []string
	for _, rule := range r.Rules {
		if rule.Kills == 0 {
			idle = append(idle, rule.Name)
		}
		if len(rule.Only) > 0 {
			fmt.Fprintf(w, "%s\n", reports.Visible(fmt.Sprintf("only %s finds %s", rule.Name, strings.Join(rule.Only, ", "))))
		}
	}
	if len(r.Single) > 0 && len(idle) > 0 {
		fmt.Fprintf(w, "%s\n", reports.Visible("found no fault: "+strings.Join(idle, ", ")))
	}
}

func (p Printer) variants(w *bufio.Writer, r *selftest.Report) {
	if len(r.Correct) == 0 {
		return
	}
	rows := [][]string{{"correct system", "judged", "inconclusive", "alarms"}}
	verdicts := []reports.Verdict{reports.NotJudged}
	for _, variant := range r.Correct {
		rows = append(rows, []string{
			reports.Visible(variant.Name), fmt.Sprint(variant.Judged), fmt.Sprint(variant.Doubts), fmt.Sprint(len(variant.Alarms)),
		})
		verdicts = append(verdicts, variant.Opinion())
	}
	fmt.Fprintln(w)
	p.align(w, rows, verdicts)
}
