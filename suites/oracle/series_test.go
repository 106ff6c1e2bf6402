package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// grew has the pages before and after two callers with these many series of
// admitted and of denied calls.
func grew(authorized, limited int) func(*Question) {
	return func(q *Question) {
		q.Earlier = &evidence.Page{Samples: 3, Series: map[string]int{"authorized_calls": 1, "limitador_up": 1}}
		q.Page = &evidence.Page{
			Samples: 3 + authorized + limited, Took: 30 * ms,
			Series: map[string]int{"authorized_calls": 1 + authorized, "limited_calls": limited, "limitador_up": 1},
		}
	}
}

func TestSeriesBounded(t *testing.T) {
	sound := []string{"A1+1", "A100+1", "D200+1"}
	two := [][]string{sound, sound}
	limiter := func(reason string) want { return want{reports.Fail, reports.Limiter, reason} }
	for name, c := range map[string]crowdCase{
		"one a caller":          {members: two, edit: grew(2, 2), want: want{verdict: reports.Pass, reason: "2 callers: authorized_calls +2, limited_calls +2"}},
		"not all denied":        {members: [][]string{sound, {"A1+1"}}, edit: grew(2, 1), want: want{verdict: reports.Pass, reason: "limited_calls +1"}},
		"one a call":            {members: two, edit: grew(4, 2), want: limiter("has 4 series more for 2 callers")},
		"one for both":          {members: two, edit: grew(1, 2), want: limiter("some callers have no series of their own")},
		"one, and hits lost":    {members: [][]string{sound, {"A1+1", "L100+1", "D200+1"}}, edit: grew(1, 2), want: want{reason: "hits were lost or not heard"}},
		"one, and not heard":    {members: two, edit: both(grew(1, 2), gatewayErrors(1)), want: want{reason: "hits were lost or not heard"}},
		"no series at all":      {members: two, edit: grew(0, 0), want: want{reason: "no family grew"}},
		"fewer than before":     {members: two, edit: grew(-1, 2), want: want{reason: "started anew"}},
		"slow":                  {members: two, edit: both(grew(2, 2), func(q *Question) { q.Page.Took = 1200 * ms }), want: limiter("took 1.2s")},
		"others beside":         {members: two, edit: both(grew(2, 2), crowded), want: want{reason: "others ran beside"}},
		"two limiters":          {members: two, edit: both(grew(2, 2), twoInstances), want: want{reason: "several limiters"}},
		"page not read":         {members: two, edit: both(grew(2, 2), func(q *Question) { q.Page.Missing = "refused" }), want: want{reason: "could not be read"}},
		"no page before":        {members: two, edit: both(grew(2, 2), func(q *Question) { q.Earlier = nil }), want: want{reason: "does not say which page"}},
		"limiter not read":      {members: two, edit: both(grew(2, 2), func(q *Question) { q.After.Limiter = nil }), want: want{reason: "the limiter book was not read"}},
		"a caller in vain":      {members: [][]string{sound, {"D1+1"}}, edit: grew(1, 2), want: want{verdict: reports.Pass}},
		"more than all callers": {members: two, edit: grew(2, 3), want: limiter("has 3 series more")},
	} {
		t.Run(name, func(t *testing.T) { c.run(t, SeriesBounded) })
	}
}

func twoInstances(q *Question) {
	both := []string{"limiter@1", "limiter@2"}
	q.Before.Limiter.Instances, q.After.Limiter.Instances = both, both
}
