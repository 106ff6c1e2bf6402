package oracle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// A hit passes that the limiter was not heard for. On a machine that keeps up that is
// a failure, declared or not; on one that does not nobody knows whose it is.
func TestSlowness(t *testing.T) {
	slow, quick := 60, 3
	for name, c := range map[string]struct {
		denialsTake int
		declared    string
		errors      int64
		lagged      bool
		want        reports.Verdict
		remedy      string
	}{
		"quick":           {quick, weakness.FailOpen, 1, false, reports.Fail, ""},
		"slow":            {slow, weakness.FailOpen, 1, false, reports.Inconclusive, "leave it a core"},
		"lagged":          {quick, weakness.FailOpen, 1, true, reports.Inconclusive, "leave it a core"},
		"undeclared":      {slow, weakness.FreshCounters, 1, false, reports.Fail, ""},
		"no call failed":  {slow, weakness.FailOpen, 0, false, reports.Fail, ""},
		"lagged, no call": {quick, weakness.FailOpen, 0, true, reports.Fail, ""},
	} {
		t.Run(name, func(t *testing.T) {
			hits := []string{"A1+2", "A10+2", "A20+120"}
			for i := range 6 {
				hits = append(hits, fmt.Sprintf("D%d+%d", 200+100*i, c.denialsTake))
			}
			entries := ledger(t, hits...)
			q := question(entries, limitOf(2, 10*sec))
			q.Rules, q.Declared = []string{NoOverrun}, []string{c.declared}
			q.After.Gateway.Errors = c.errors
			q.After.Limiter.Users["alice"] = minus(q.After.Limiter.Users["alice"], evidence.Calls{Authorized: 1, Hits: 1})
			if c.lagged {
				q.Attacks[0].LagP99, q.Attacks[0].MaxLag = sec, ms
			}
			f := Judge(q, entries)[1]
			if f.Verdict != c.want || !strings.Contains(f.Remedy, c.remedy) {
				t.Errorf("%s, change %q; want %s and %q; it says: %s", f.Verdict, f.Remedy, c.want, c.remedy, f.Reason)
			}
			if f.Verdict == reports.Inconclusive && f.Component != reports.Unattributed {
				t.Errorf("a doubt accuses the %s", f.Component)
			}
		})
	}
}
