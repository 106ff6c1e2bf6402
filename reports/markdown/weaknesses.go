package markdown

import (
	"bytes"
	"fmt"

	"github.com/floodgate-dev/floodgate/reports"
)

// weaknesses are the passes that rest on declarations, and what was declared.
func weaknesses(w *bytes.Buffer, r *reports.Record) {
	if declared := r.DeclaredText(); declared != "" {
		fmt.Fprintf(w, "Declared weaknesses of the system under test: %s.\n\n", escape(declared))
	}
	seen := r.Weaknesses()
	for i, one := range seen {
		if i == maxProblems {
			fmt.Fprintf(w, "- %d more are in report.html\n", len(seen)-maxProblems)
			break
		}
		fmt.Fprintf(w, "- declared weakness %s: %s: %s\n", escape(one.DeclaredText(r)), escape(one.Title()), escape(one.Finding.Reason))
	}
	if len(seen) > 0 {
		fmt.Fprintln(w)
	}
}
