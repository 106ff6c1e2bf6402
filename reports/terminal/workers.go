package terminal

import (
	"bufio"
	"fmt"

	"github.com/floodgate-dev/floodgate/reports"
)

// workers prints a line per worker that shared the run's attacks.
func workers(w *bufio.Writer, r *reports.Record) {
	for _, row := range r.WorkerRows() {
		fmt.Fprintf(w, "%-9s hits %s, in %s, clock %s", reports.Visible(row.Name), row.HitsText(), row.AttacksText(), row.ClockText())
		if rate := row.RateText(); rate != "" {
			fmt.Fprintf(w, ", %s", rate)
		}
		fmt.Fprintln(w)
	}
}
