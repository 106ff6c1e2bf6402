package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
)

func TestCountsOn(t *testing.T) {
	gatewayAgain := func(q *Question) {
		q.Want.Change = &Change{What: "the gateway was restarted", Asked: 100 * ms, Done: 150 * ms, Owner: reports.Gateway}
	}
	for _, c := range []bookCase{
		{name: "counted on", hits: []string{"A84+2", "A160+2", "D170+1"}, want: want{verdict: reports.Pass, reason: "1 counted before it, 2 of 2 in all"}},
		{name: "counted anew", hits: []string{"A84+2", "A90+2", "A160+2", "A170+1"}, want: want{reports.Fail, reports.Gateway, "2 hits were admitted beyond the quota of 2 in one window; the limiter answered all 4 (its authorized_calls +4), which is the one that it was"}},
		{name: "counted anew by another limiter", hits: []string{"A84+2", "A90+2", "A160+2"}, edit: restarted, want: want{verdict: reports.Fail, reason: "processes changed"}},
		{name: "unheard afterwards", hits: []string{"A84+2", "A90+2", "A160+2"}, edit: both(booked(2, 0), gatewayErrors(1)), want: want{reports.Fail, reports.Gateway, "the limiter was not heard for 1 of 3"}},
		{name: "nothing before", hits: []string{"A160+2", "A165+1", "D170+1"}, want: want{reason: "no hit was counted before it"}},
		{name: "nothing denied after", hits: []string{"A84+2", "A160+2"}, want: want{reason: "no hit was denied after it"}},
		{name: "no answer", hits: []string{"A84+2", "F160+2", "D170+1"}, want: want{reason: "1 hit had no answer"}},
		{name: "stale", hits: []string{"A84+2", "D170+1"}, edit: stale, want: want{reason: "live before the first hit"}},
	} {
		edit := c.edit
		c.edit = func(q *Question) {
			gatewayAgain(q)
			if edit != nil {
				edit(q)
			}
		}
		c.run(t, CountsOn)
	}
	bookCase{name: "no change", want: want{reason: "names no change"}}.run(t, CountsOn)
}
