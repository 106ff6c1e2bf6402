package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// deleted is a key that was deleted between 100 and 110 ms.
func deleted(q *Question) {
	q.Want.Change = &Change{
		What: "the key was deleted", Asked: 100 * ms, Done: 110 * ms, Budget: 50 * ms, Owner: reports.Authorizer,
		Until: []evidence.Outcome{evidence.Admitted, evidence.Denied}, Then: []evidence.Outcome{evidence.Refused},
	}
}

// tightened is a policy that was tightened likewise, with so many yeses of the
// limiter.
func tightened(authorized int64) func(*Question) {
	return func(q *Question) {
		deleted(q)
		q.Want.Change.Owner = reports.Gateway
		q.Want.Change.Until, q.Want.Change.Then = []evidence.Outcome{evidence.Admitted}, []evidence.Outcome{evidence.Denied}
		booked(authorized, 0)(q)
	}
}

func TestTakesEffect(t *testing.T) {
	for _, c := range []bookCase{
		{name: "within the budget", hits: []string{"A10+1", "D105+1", "D120+1", "R130+1", "R170+1"}, want: want{verdict: reports.Pass, reason: "the old state last showed 10ms after it"}},
		{name: "while it is asked for", hits: []string{"A10+1", "R99+5", "R170+1"}, want: want{verdict: reports.Pass}},
		{name: "too late", hits: []string{"A10+1", "D161+1", "A200+1", "R300+1"}, want: want{reports.Fail, reports.Authorizer, "2 hits were still answered as before more than 50ms later, the last one sent 90ms later; entry 2 was answered 429"}},
		{name: "never", hits: []string{"A10+1", "D161+1"}, want: want{reports.Fail, reports.Authorizer, "1 hit was still answered as before"}},
		{name: "before it", hits: []string{"R10+1", "R170+1"}, want: want{reports.Fail, reports.Authorizer, "1 hit was answered as if so before it was"}},
		{name: "too late, the limiter said yes", hits: []string{"A10+1", "A200+1"}, edit: tightened(2), want: want{reports.Fail, reports.Limiter, "its authorized_calls +2"}},
		{name: "too late, the limiter was not asked", hits: []string{"A10+1", "A200+1"}, edit: tightened(0), want: want{reports.Fail, reports.Gateway, "1 hit was still answered as before"}},
		{name: "back, the limiter said yes", hits: []string{"A10+1", "D120+1", "A130+1", "D200+1"}, edit: tightened(1), want: want{reports.Fail, reports.Limiter, "after the change had shown"}},
		{name: "there and back", hits: []string{"A10+1", "R120+1", "A130+1", "R170+1"}, want: want{reports.Fail, reports.Authorizer, "1 hit was answered as before after the change had shown; entry 3"}},
		{name: "an error in between", hits: []string{"A10+1", "F120+1", "R170+1"}, want: want{reason: "answered neither as before nor as after; entry 2 was answered 503"}},
		{name: "lost in between", hits: []string{"A10+1", "L120+1", "R170+1"}, want: want{reason: "entry 2 was lost"}},
		{name: "nothing before", hits: []string{"R120+1", "R170+1"}, want: want{reason: "no hit was answered before it"}},
		{name: "nothing after", hits: []string{"A10+1", "R120+1"}, want: want{reason: "no hit was sent more than 50ms after it"}},
	} {
		if c.edit == nil {
			c.edit = deleted
		}
		c.run(t, TakesEffect)
	}
	bookCase{name: "no change", want: want{reason: "names no change"}}.run(t, TakesEffect)
}

func TestMovedTier(t *testing.T) {
	// The subject's limit is 2; it had a quota of 1 before.
	moved := func(q *Question) { q.Want.Formerly = []tier.Limit{limitOf(1, 10*sec)} }
	for _, c := range []bookCase{
		{name: "the new quota", edit: moved, want: want{verdict: reports.Pass}},
		{name: "nothing at all", hits: []string{"D1+1", "D3+1"}, edit: moved, want: want{reports.Fail, reports.Authorizer, "2 hits were denied and none admitted of the new quota of 2, as if the spent 1 of"}},
		{name: "something, but too little", hits: []string{"A1+1", "D3+1"}, edit: moved, want: want{reason: "fits neither tier"}},
		{name: "too few hits", hits: []string{"A1+1"}, edit: moved, want: want{reason: "which both tiers allow"}},
		{name: "not a smaller tier", edit: func(q *Question) { q.Want.Formerly = []tier.Limit{limitOf(2, 10*sec)} }, want: want{reason: "not smaller"}},
		{name: "from nowhere", want: want{reason: "not smaller"}},
		{name: "neither tier", hits: []string{"A1+1", "A3+1", "D5+1"}, edit: func(q *Question) {
			moved(q)
			q.Subject.Limits = []tier.Limit{limitOf(3, 10*sec)}
		}, want: want{reason: "fits neither tier"}},
	} {
		c.run(t, MovedTier)
	}
}

func TestNoBypass(t *testing.T) {
	for _, c := range []bookCase{
		{name: "denied in every form", hits: []string{"D1+1", "F3+1", "R5+1", "D7+1"}, want: want{verdict: reports.Pass}},
		{name: "served in one", hits: []string{"D1+1", "A3+1", "D7+1"}, edit: misses(1), want: want{reports.Fail, reports.Gateway, "1 of 3 hits were served although the quota was spent; the gateway's misses +1, errors +0"}},
		{name: "served by the limiter", hits: []string{"D1+1", "A3+1", "D7+1"}, edit: booked(3, 2), want: want{reports.Fail, reports.Limiter, "1 of 3 hits were served although the quota was spent; the limiter's authorized_calls +3"}},
		{name: "served, others beside", hits: []string{"A3+1", "D7+1"}, edit: crowded, want: want{reports.Fail, reports.Gateway, "1 of 2 hits were served"}},
		{name: "unknown to the model", hits: []string{"B3+1", "D7+1"}, want: want{verdict: reports.Pass}},
		{name: "the quota came back", hits: []string{"D1+1", "A3+1", "A7+1"}, want: want{reason: "entry 3, in the usual form, was not denied"}},
		{name: "no answers", hits: []string{"L1+1", "F3+1", "D7+1"}, want: want{reason: "none of the unusual forms got a telling answer; entry 1 was lost"}},
		{name: "no form", hits: []string{"D1+1"}, want: want{reason: "nothing was compared"}},
	} {
		c.run(t, NoBypass)
	}
}

func TestMetered(t *testing.T) {
	for _, c := range []bookCase{
		{name: "limited", want: want{verdict: reports.Pass}},
		{name: "refused", hits: []string{"R1+1", "F3+1"}, want: want{verdict: reports.Pass, reason: "nobody was served"}},
		{name: "unasked", hits: []string{"A1+1", "A3+1"}, edit: booked(0, 0), want: want{reports.Fail, reports.Gateway, "2 of 2 hits were served unmetered; no limiter call was made for 2 of 2"}},
		{name: "unheard", hits: []string{"A1+1", "A3+1"}, edit: both(booked(0, 0), gatewayErrors(2)), want: want{reports.Fail, reports.Gateway, "the limiter was not heard for 2 of 2"}},
		{name: "counted, never denied", hits: []string{"A1+1"}, want: want{reason: "whether a limit applies was not seen"}},
		{name: "no book", hits: []string{"A1+1"}, edit: func(q *Question) { q.After.Limiter = nil }, want: want{reason: "the limiter book was not read"}},
		{name: "lost", hits: []string{"L1+1"}, want: want{reason: "none of 1 hit was answered"}},
	} {
		c.run(t, Metered)
	}
}
