package harness

import (
	"errors"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/reports"
)

// LeaveOut notes the cases of a run that no spec judges, each with its reason:
// what was not looked at is said, not passed over.
func LeaveOut(runDir string, absent []reports.Case) error {
	var err error
	for _, c := range absent {
		err = errors.Join(err, writeJSON(filepath.Join(runDir, casesDir, c.ID+".json"), c))
	}
	return err
}
