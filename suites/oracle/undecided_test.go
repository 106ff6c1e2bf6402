package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
)

func TestUndecidedUncounted(t *testing.T) {
	three := []string{"A84+2", "A90+2", "A95+2"}
	for _, c := range []bookCase{
		{name: "failed and booked nowhere", hits: three, edit: both(booked(0, 0), gatewayErrors(3)), want: want{verdict: reports.Pass}},
		{name: "booked as admitted", hits: three, edit: booked(3, 0), want: want{reports.Fail, reports.Limiter, "booked authorized_calls +3 and limited_calls +0 for 3 hits"}},
		{name: "booked as admitted, and answered UNKNOWN", hits: three, edit: both(booked(3, 0), gatewayErrors(3)), want: want{reports.Fail, reports.Limiter, "authorized_calls +3"}},
		{name: "still limited", hits: []string{"A84+2", "A90+2", "D95+2"}, edit: booked(2, 1), want: want{reports.Fail, reports.Gateway, "1 hit was denied"}},
		{name: "not called", hits: three, edit: booked(0, 0), want: want{reason: "was not seen"}},
		{name: "others beside", hits: three, edit: both(booked(0, 0), crowded), want: want{reason: "others ran beside"}},
		{name: "limiter not read", hits: three, edit: func(q *Question) { q.After.Limiter = nil }, want: want{reason: "the limiter book was not read"}},
	} {
		c.run(t, UndecidedUncounted)
	}
}
