package setup

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

func printSteps(w io.Writer, steps []install.StepStatus) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STEP\tSTATE\tSINCE\tWHAT IS MISSING")
	for _, s := range steps {
		since := "-"
		if !s.Since.IsZero() {
			since = s.Since.Local().Format(time.DateTime)
		}
		missing := s.Missing
		if s.Error != "" && missing == "" {
			missing = s.Error
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", s.Name, s.State, since, missing)
	}
	return table.Flush()
}
