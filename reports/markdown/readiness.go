package markdown

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// readiness is how each variant's policy came into force.
func readiness(w *bytes.Buffer, r *reports.Record) {
	if len(r.Readiness) == 0 {
		return
	}
	fmt.Fprintf(w, "How the policy came into force, in seconds after the wait for it began:\n\n| variant | gap | %s |\n|---|%s\n",
		strings.Join(reports.ReadinessSteps(), " | "), strings.Repeat("--:|", len(reports.ReadinessSteps())+1))
	rows := r.Readiness[:min(maxRows, len(r.Readiness))]
	for _, row := range rows {
		gap := row.GapText()
		if row.Late() {
			gap = sign(reports.Inconclusive) + " " + gap
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", escape(row.Variant), gap, strings.Join(row.Steps(), " | "))
	}
	fmt.Fprint(w, "\nThe gap is from Enforced to the first 429. Accepted and Enforced are recorded, never believed.\n\n")
	for _, row := range rows {
		for _, note := range row.Notes() {
			fmt.Fprintf(w, "- %s\n", escape(note))
		}
	}
	fmt.Fprintln(w)
}
