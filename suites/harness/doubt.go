package harness

import (
	"path/filepath"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// Doubt takes the verdict from every case that was under way at a moment or
// later: what it saw then is no evidence about the limits.
func Doubt(runDir string, since time.Time, reason string) error {
	cases, err := ReadCases(runDir)
	if err != nil {
		return err
	}
	for name, c := range cases {
		if c.Verdict == reports.NotJudged || c.Duration > 0 && c.Began.Add(c.Duration).Before(since) {
			continue
		}
		c.Doubt, c.Void = reason, true
		voidFindings(&c)
		Settle(&c)
		if err := writeJSON(filepath.Join(runDir, casesDir, name+".json"), c); err != nil {
			return err
		}
	}
	return nil
}

// voidFindings turns the fails of a void case into doubts.
func voidFindings(c *reports.Case) {
	for i := range c.Findings {
		if c.Findings[i].Verdict == reports.Fail {
			c.Findings[i].Verdict = reports.Inconclusive
			c.Findings[i].Reason = c.Doubt + "; before that: " + c.Findings[i].Reason
			c.Findings[i].Remedy = "find out from logs/ why the component ended, and run the case again"
		}
	}
}
