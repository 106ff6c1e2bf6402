package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestAllDenied(t *testing.T) {
	for name, c := range map[string]struct {
		hits []string
		want want
	}{
		"all":         {[]string{"D84+1", "D86+1"}, want{verdict: reports.Pass}},
		"one passed":  {[]string{"D84+1", "A86+1"}, want{reports.Fail, reports.Limiter, "1 of 2 hits were admitted although no quota is left"}},
		"one failed":  {[]string{"D84+1", "F86+1"}, want{reason: "1 of 2 hits were denied"}},
		"one refused": {[]string{"D84+1", "R86+1"}, want{reason: "the others were refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			c.want.check(t, ruleNamed(t, AllDenied).Judge(question(entries, limitOf(2, 10*sec)), entries))
		})
	}
}

func TestStoppedIsSilent(t *testing.T) {
	for name, c := range map[string]struct {
		hits []string
		edit func(*Question)
		want want
	}{
		"nobody is heard":          {[]string{"A84+1", "A86+1"}, func(q *Question) { q.After.Gateway.Errors = 2 }, want{verdict: reports.Pass}},
		"nobody, failing closed":   {[]string{"F84+1", "F86+1"}, func(q *Question) { q.After.Gateway.Errors = 2 }, want{verdict: reports.Pass}},
		"it denies":                {[]string{"A84+1", "D86+1"}, nil, want{reports.Fail, reports.Limiter, "1 of 2 hits were denied by a limiter that was told to stop"}},
		"it admits":                {[]string{"A84+1", "A86+1"}, nil, want{reports.Fail, reports.Limiter, "2 of 2 hits were answered by"}},
		"who knows, beside others": {[]string{"A84+1", "A86+1"}, func(q *Question) { q.Alone = false }, want{reason: "do not tell"}},
		"without gateway's book":   {[]string{"A84+1"}, func(q *Question) { q.After.Gateway = nil }, want{reason: "cannot be told"}},
		"refused before":           {[]string{"R84+1"}, nil, want{reason: "no hit got past"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := question(entries, limitOf(2, 10*sec))
			if c.edit != nil {
				c.edit(&q)
			}
			c.want.check(t, ruleNamed(t, StoppedIsSilent).Judge(q, entries))
		})
	}
}

func TestReadyMeansServing(t *testing.T) {
	for name, c := range map[string]struct {
		shown *evidence.Startup
		want  want
	}{
		"it ended":               {&evidence.Startup{Ended: true, How: "exit status 1"}, want{verdict: reports.Pass, reason: "exit status 1"}},
		"it says it is not well": {&evidence.Startup{Status: 503}, want{verdict: reports.Pass, reason: "503"}},
		"it says nothing":        {&evidence.Startup{}, want{verdict: reports.Pass}},
		"it says it is well":     {&evidence.Startup{Status: 200, Watched: sec}, want{reports.Fail, reports.Limiter, "has gone on for 1s, and its /status answers 200"}},
		"it serves":              {&evidence.Startup{Status: 200, Serves: true}, want{reason: "was not taken after all"}},
		"none was started":       {nil, want{reason: "no limiter was started"}},
	} {
		t.Run(name, func(t *testing.T) {
			q := question(nil)
			q.Startup = c.shown
			c.want.check(t, ruleNamed(t, ReadyMeansServing).Judge(q, nil))
		})
	}
}
