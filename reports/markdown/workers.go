package markdown

import (
	"bytes"
	"fmt"

	"github.com/floodgate-dev/floodgate/reports"
)

// workers are those that shared the run's attacks.
func workers(w *bytes.Buffer, r *reports.Record) {
	rows := r.WorkerRows()
	if len(rows) == 0 {
		return
	}
	fmt.Fprint(w, "| worker | attacks | hits | clock | rate |\n|---|---|---|---|---|\n")
	for _, row := range rows[:min(maxRows, len(rows))] {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n",
			escape(row.Name), row.AttacksText(), row.HitsText(), row.ClockText(), row.RateText())
	}
	fmt.Fprintln(w)
}
