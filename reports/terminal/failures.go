package terminal

import (
	"bufio"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// Failures prints each fail, then each doubt: which guarantee; what was seen,
// with numbers; on whom; where the evidence is; how to see it again. It prints
// nothing for a run without either.
func (p Printer) Failures(r *reports.Record) error {
	w := bufio.NewWriter(p.Out)
	for _, problem := range r.Problems() {
		word := strings.ToUpper(problem.Verdict.String())
		fmt.Fprintf(w, "%s  %s\n", p.paint(problem.Verdict, word), reports.Visible(problem.Title(r)))
		for _, line := range p.details(r, problem) {
			fmt.Fprintf(w, "  %s\n", reports.Visible(line))
		}
		fmt.Fprintln(w)
	}
	return flush(w)
}

func (p Printer) details(r *reports.Record, problem reports.Problem) []string {
	reason := problem.Reason(r)
	lines := []string{reason}
	// What a reason says in words need not be said twice.
	if blames := string(problem.Blames()); blames != "" && !strings.Contains(strings.ToLower(reason), blames) {
		lines = append(lines, "blames    "+blames)
	}
	if finding := problem.Finding; finding != nil {
		if finding.Subject != "" || finding.Limit != "" {
			lines = append(lines, subjectLine(finding.Subject, reports.ShortLimit(finding.Limit)))
		}
		if ledger := finding.Evidence.Ledger; ledger != "" {
			line := "evidence  " + filepath.Join(p.Dir, ledger)
			if entries := reports.EntriesText(finding.Evidence.Entries); entries != "" {
				line += ", " + entries
			}
			lines = append(lines, line)
		}
	}
	if undeclared := problem.Undeclared(); undeclared != "" {
		lines = append(lines, "weakness  "+undeclared)
	}
	if diagnosis := problem.Diagnosis(r); diagnosis != nil {
		lines = append(lines, "diagnosis "+filepath.Join(p.Dir, diagnosis.Dir))
	}
	if remedy := problem.Remedy(); remedy != "" {
		lines = append(lines, "change    "+remedy)
	}
	if policy := problem.Policy(); policy != "" {
		lines = append(lines, "policy    "+filepath.Join(p.Dir, policy))
	}
	if again := problem.Again(); again != "" {
		lines = append(lines, "again     "+again)
	}
	return lines
}

func subjectLine(subject, limit string) string {
	switch {
	case limit == "":
		return "subject   " + subject
	case subject == "":
		return "limit     " + limit
	default:
		return fmt.Sprintf("subject   %s      limit %s", subject, limit)
	}
}
