package oracle

import (
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// ofLimit is a limit as the limiter shows it.
func ofLimit(limit tier.Limit) evidence.LimitInForce {
	return evidence.LimitInForce{
		Namespace: limit.Scope, MaxValue: limit.Quota, Seconds: int64(limit.Window / time.Second),
		Conditions: []string{`descriptors[0]["` + limit.ID + `"] == "1"`},
	}
}

// withdrawn is a policy with a quota of 2 that was deleted between 100 and 110 ms.
func withdrawn(q *Question) {
	q.Subject.Limits = nil
	q.Want.Edit = editOf("the policy was deleted", limitOf(2, 10*sec))
	q.Counters = &evidence.CounterBook{At: began.Add(sec)}
	q.After.Limiter.InForce = nil
}

func TestLimitsGone(t *testing.T) {
	gone := []string{"A10+1", "A12+1", "D14+1", "A160+1", "A162+1", "A164+1"}
	was := limitOf(2, 10*sec)
	for _, c := range []bookCase{
		{name: "nothing is left", want: want{verdict: reports.Pass, reason: "neither a limit nor a counter"}},
		{
			name: "the limit is still there", edit: func(q *Question) { q.After.Limiter.InForce = []evidence.LimitInForce{ofLimit(was)} },
			want: want{reports.Fail, reports.Limiter, "/limits still shows"},
		},
		{
			name: "another limit is there", edit: func(q *Question) {
				other := ofLimit(was)
				other.Namespace = "elsewhere"
				q.After.Limiter.InForce = []evidence.LimitInForce{other}
			},
			want: want{verdict: reports.Pass},
		},
		{
			name: "its counter is still there", edit: func(q *Question) {
				q.Counters.Counters = []evidence.LiveCounter{{Limit: ofLimit(was), Values: []string{"alice"}, ExpiresIn: 9}}
			},
			want: want{reports.Fail, reports.Limiter, "/counters still shows what the subject used"},
		},
		{
			name: "another's counter is there", edit: func(q *Question) {
				q.Counters.Counters = []evidence.LiveCounter{{Limit: ofLimit(was), Values: []string{"bob"}, ExpiresIn: 9}}
			},
			want: want{verdict: reports.Pass},
		},
		{name: "counters were not read", edit: func(q *Question) { q.Counters = nil }, want: want{reason: "counters"}},
		{name: "limits were not read", edit: func(q *Question) { q.After.Limiter = nil }, want: want{reason: "limiter"}},
		{name: "no limit before", edit: func(q *Question) { q.Want.Edit.Formerly = nil }, want: want{reason: "no limit applied to the subject before"}},
		{name: "no edit", edit: func(q *Question) { q.Want.Edit = nil }, want: want{reason: "names no edit"}},
		{name: "nothing was counted", hits: []string{"A160+1"}, want: want{reason: "no hit was admitted before it"}},
	} {
		if c.hits == nil {
			c.hits = gone
		}
		change := c.edit
		c.edit = func(q *Question) {
			withdrawn(q)
			if change != nil {
				change(q)
			}
		}
		c.run(t, LimitsGone)
	}
}

func TestRefusalTold(t *testing.T) {
	told := func(refused ...int64) func(*Question) {
		return func(q *Question) {
			q.Want.Edit = editOf("a limit was added that cannot be read")
			q.Want.Edit.Refused = refused
		}
	}
	for _, c := range []bookCase{
		{name: "told", edit: told(1), want: want{verdict: reports.Pass, reason: "1 limiter said so"}},
		{name: "told by all", edit: told(1, 3), want: want{verdict: reports.Pass, reason: "2 limiters said so"}},
		{name: "not told", edit: told(0), want: want{reports.Fail, reports.Limiter, "1 of 1 limiter said nothing of it"}},
		{name: "not told by one", edit: told(2, 0), want: want{reports.Fail, reports.Limiter, "1 of 2 limiters said nothing of it"}},
		{name: "not read", edit: told(), want: want{reason: "no limiter's /status could be read"}},
		{name: "no edit", want: want{reason: "names no edit"}},
	} {
		c.run(t, RefusalTold)
	}
}

// renamed is a quota of 2 whose limit got another name.
func renamed(q *Question) {
	was, is := limitOf(2, 20*sec), limitOf(2, 20*sec)
	was.ID, is.ID = "limit.free__1", "limit.gratis__2"
	q.Subject.Limits = []tier.Limit{is}
	q.Want.Edit = editOf("the limit was renamed", was)
}

func TestStartsAnewUnderAnotherName(t *testing.T) {
	anew := []string{"A10+1", "A12+1", "D14+1", "A160+1", "A162+1", "D170+1"}
	was := limitOf(2, 20*sec)
	was.ID = "limit.free__1"
	counted := func(limit tier.Limit) func(*Question) {
		return func(q *Question) {
			renamed(q)
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: []evidence.LiveCounter{{
				Limit: ofLimit(limit), Values: []string{"alice"}, ExpiresIn: 15,
			}}}
		}
	}
	is := was
	is.ID = "limit.gratis__2"
	for _, c := range []bookCase{
		{name: "anew", hits: anew, edit: counted(is), want: want{verdict: reports.Pass, reason: `from "limit.free__1" to "limit.gratis__2" with 2 used`}},
		{name: "the old counter is left", hits: anew, edit: counted(was), want: want{reports.Fail, reports.Limiter, "/counters still shows the old counter"}},
		{name: "the count was kept", hits: []string{"A10+1", "A12+1", "D160+1"}, edit: renamed, want: want{reports.Fail, reports.Limiter, "the old counter's use was kept"}},
		{name: "a gap", hits: []string{"A10+1", "A12+1", "A105+1", "A115+1", "A160+1", "D170+1"}, edit: renamed, want: want{verdict: reports.Pass, reason: "1 more than the new quota of 2 passed in the gap, the last one 50ms after it was put"}},
		{name: "a gap that is not seen to end", hits: []string{"A10+1", "A12+1", "A160+1", "A162+1", "A164+1"}, edit: renamed, want: want{reason: "the gap's end was not seen"}},
		{name: "open past the budget", hits: []string{"A10+1", "A12+1", "A160+1", "A520+1", "A530+1", "A540+1"}, edit: renamed, want: want{reports.Fail, reports.Limiter, "more than 400ms after it was put, 3 hits were still admitted"}},
		{name: "open again", hits: []string{"A10+1", "A12+1", "A160+1", "A162+1", "D170+1", "A520+1"}, edit: renamed, want: want{reports.Fail, reports.Limiter, "1 hit was admitted more than 400ms after it was put, although a hit had been denied"}},
		{name: "not tried to the end", hits: anew[:5], edit: renamed, want: want{reason: "no hit was denied after the new quota"}},
	} {
		c.run(t, StartsAnew)
	}
}

// A limiter that shows the limit, says yes to too many and has counted for none
// was asked about something else.
func TestAGatewayThatAsksAboutOtherLimitsIsBlamed(t *testing.T) {
	limit := limitOf(2, 10*sec)
	over := []string{"A10+1", "A12+1", "A14+1"}
	shows := func(counters ...evidence.LiveCounter) func(*Question) {
		return func(q *Question) {
			booked(3, 0)(q)
			q.Began = began
			q.After.Limiter.InForce = []evidence.LimitInForce{ofLimit(limit)}
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: counters}
		}
	}
	counted := evidence.LiveCounter{Limit: ofLimit(limit), Values: []string{"alice"}, ExpiresIn: 9}
	for _, c := range []bookCase{
		{name: "no counter", hits: over, edit: shows(), want: want{reports.Fail, reports.Gateway, "and /counters no counter of it"}},
		{name: "a counter", hits: over, edit: shows(counted), want: want{reports.Fail, reports.Limiter, "the limiter answered all 3 (its authorized_calls +3)"}},
		{name: "not in force", hits: over, edit: both(shows(), func(q *Question) { q.After.Limiter.InForce = nil }), want: want{reports.Fail, reports.Limiter, "the limiter answered all 3 (its authorized_calls +3)"}},
		{name: "counters read too late", hits: over, edit: both(shows(), func(q *Question) { q.Counters.At = began.Add(time.Minute) }), want: want{reports.Fail, reports.Limiter, "the limiter answered all 3"}},
		{name: "counters not read", hits: over, edit: both(shows(), func(q *Question) { q.Counters = nil }), want: want{reports.Fail, reports.Limiter, "the limiter answered all 3 (its authorized_calls +3)"}},
	} {
		c.run(t, NoOverrun)
	}
}
