package terminal

import (
	"bufio"
	"fmt"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/reports"
)

// Weaknesses prints each pass that rests on a declaration: which guarantee falls
// short, who declared it, what was seen, on whom. It prints nothing for a run
// without any.
func (p Printer) Weaknesses(r *reports.Record) error {
	w := bufio.NewWriter(p.Out)
	for _, seen := range r.Weaknesses() {
		fmt.Fprintf(w, "%s  %s\n", p.paint(reports.Inconclusive, "DECLARED WEAKNESS"), reports.Visible(seen.Title()))
		lines := []string{seen.Finding.Reason, "weakness  " + seen.DeclaredText(r)}
		if seen.Finding.Subject != "" || seen.Finding.Limit != "" {
			lines = append(lines, subjectLine(seen.Finding.Subject, reports.ShortLimit(seen.Finding.Limit)))
		}
		if ledger := seen.Finding.Evidence.Ledger; ledger != "" {
			lines = append(lines, "evidence  "+filepath.Join(p.Dir, ledger))
		}
		if seen.Case.Again != "" {
			lines = append(lines, "again     "+seen.Case.Again)
		}
		for _, line := range lines {
			fmt.Fprintf(w, "  %s\n", reports.Visible(line))
		}
		fmt.Fprintln(w)
	}
	return flush(w)
}
