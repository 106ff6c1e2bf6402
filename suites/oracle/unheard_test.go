package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
)

func cutOff(mode string, every bool) func(*Question) {
	return func(q *Question) {
		q.Want.Failing = &Failing{What: "the limiter was cut off", Mode: mode, Patience: sec, Every: every}
		q.Declared = []string{weakness.FailOpen}
	}
}

func leastMet(q *Question) { q.Want.Failing.Least = 200 * ms }

func TestUnheardIsTold(t *testing.T) {
	limiter := func(reason string) want { return want{reports.Fail, reports.Limiter, reason} }
	gateway := func(reason string) want { return want{reports.Fail, reports.Gateway, reason} }
	three := []string{"A84+2", "A90+2", "A95+2"}
	for _, c := range []bookCase{
		{name: "all pass, all told", hits: three, edit: both(cutOff(Allow, true), booked(0, 0), gatewayErrors(3)), want: want{verdict: reports.Pass, reason: "3 of 3 hits passed, 3 of them not heard by the limiter at most; the limiter's authorized_calls +0, the gateway's errors +3; as declared: fail-open"}},
		{name: "not declared", hits: three, edit: both(cutOff(Allow, true), booked(0, 0), gatewayErrors(3), func(q *Question) { q.Declared = nil }), want: gateway("3 of them not heard by the limiter at most")},
		{name: "late and counted", hits: three, edit: both(cutOff(Allow, false), booked(2, 1), gatewayErrors(3)), want: want{verdict: reports.Pass, reason: "authorized_calls +2"}},
		{name: "within the quota, nothing failed", edit: both(cutOff(Allow, false)), want: want{verdict: reports.Pass, reason: "errors +0"}},
		{name: "nothing told", hits: three, edit: both(cutOff(Allow, true), booked(0, 0)), want: gateway("1 hit was beyond the quota, and only 0 calls failed")},
		{name: "one not told", hits: []string{"A84+2", "A90+2"}, edit: both(cutOff(Allow, true), booked(0, 0), gatewayErrors(1)), want: gateway("the limiter has no account of 2 of them (its authorized_calls +0), and the gateway's errors +1")},
		{name: "one not told that was counted", hits: []string{"A84+2", "A90+2"}, edit: both(cutOff(Allow, true), gatewayErrors(1)), want: gateway("of which the limiter can have answered none; the gateway's errors +1")},
		{name: "more than was unheard", hits: append(three, "A99+1"), edit: both(cutOff(Allow, false), booked(3, 0), gatewayErrors(1)), want: want{reports.Fail, reports.Limiter, "2 hits were beyond the quota, and only 1 call failed"}},
		{name: "the limiter said yes", hits: three, edit: both(cutOff(Allow, false), booked(3, 0)), want: limiter("1 hit was beyond the quota, and only 0 calls failed (the gateway's errors +0)")},
		{name: "denied on its own", hits: []string{"A84+2", "D90+2"}, edit: both(cutOff(Allow, false), booked(1, 0), gatewayErrors(1)), want: gateway("1 hit was denied")},
		{name: "turned away", hits: []string{"A84+2", "E90+2"}, edit: both(cutOff(Allow, true), booked(0, 0), gatewayErrors(2)), want: gateway("1 hit was failed by the gateway; entry 2 was answered 500")},
		{name: "turned away when the authorizer may be late", hits: []string{"A84+2", "E90+1200"}, edit: both(cutOff(Allow, true), gatewayErrors(2)), want: want{reason: "it may not have heard the authorizer in time"}},
		{name: "lost", hits: []string{"A84+2", "L90+2"}, edit: both(cutOff(Allow, true), gatewayErrors(2)), want: want{reason: "nobody answered"}},
		{name: "nothing failed", edit: both(cutOff(Allow, true)), want: want{reason: "no call of the gateway's failed"}},
		{name: "the next window is not known", hits: hits(full, []string{"A10100+1", "A10102+1", "A10104+1"}), edit: both(cutOff(Allow, false), booked(4, 1), gatewayErrors(1)), want: want{verdict: reports.Pass}},
		{name: "another mode", edit: cutOff("maybe", true), want: want{reason: "is none that the oracle can judge"}},
		{name: "others beside", edit: both(cutOff(Allow, true), crowded), want: want{reason: "others ran beside"}},
		{name: "stale", edit: both(cutOff(Allow, false), stale), want: want{reason: "live before the first hit"}},
		{name: "no user label", hits: three, edit: both(cutOff(Allow, true), booked(0, 0), noUsers, gatewayErrors(3)), want: want{verdict: reports.Pass}},
		{name: "gateway not read", edit: both(cutOff(Allow, true), func(q *Question) { q.After.Gateway = nil }), want: want{reason: "the gateway book was not read"}},
		{name: "limiter not read", edit: both(cutOff(Allow, true), func(q *Question) { q.After.Limiter = nil }), want: want{reason: "the limiter book was not read"}},
		{name: "two calls a hit", hits: three, edit: both(tokensToo, cutOff(Allow, true), booked(0, 0), gatewayErrors(6)), want: want{verdict: reports.Pass}},
		{name: "two policies", hits: three, edit: both(twoPolicies, cutOff(Allow, true), booked(0, 0), gatewayErrors(3)), want: want{verdict: reports.Pass}},
		{name: "late, and some met it", hits: []string{"A84+202", "D290+2"}, edit: both(cutOff(Allow, false), booked(1, 1), leastMet), want: want{verdict: reports.Pass}},
		{name: "late, and nobody met it", hits: three, edit: both(cutOff(Allow, false), booked(2, 1), gatewayErrors(1), leastMet), want: want{reason: "no hit took 200ms"}},
		{name: "nothing declared", want: want{reason: "does not say what was made to fail"}},

		{name: "denied as declared", hits: []string{"E84+2", "E90+2"}, edit: both(cutOff(Deny, true), gatewayErrors(2)), want: want{verdict: reports.Pass, reason: "2 of 2 hits turned away, the gateway's errors +2"}},
		{name: "let pass in spite of it", hits: []string{"E84+2", "A90+2"}, edit: both(cutOff(Deny, true), gatewayErrors(2)), want: gateway("1 hit was admitted, of which the limiter can have answered none")},
		{name: "some let pass in spite of it", hits: []string{"E84+2", "A90+2"}, edit: both(cutOff(Deny, false), booked(0, 0), gatewayErrors(2)), want: gateway("1 hit was admitted; the limiter's authorized_calls +0")},
		{name: "some were heard", hits: []string{"E84+2", "A90+2"}, edit: both(cutOff(Deny, false), gatewayErrors(1)), want: want{verdict: reports.Pass, reason: "1 of 2 hits"}},
		{name: "denied and not told", hits: []string{"E84+2", "E90+2"}, edit: both(cutOff(Deny, true), gatewayErrors(1)), want: gateway("2 hits were turned away; the gateway's errors +1")},
		{name: "denied, one lost", hits: []string{"E84+2", "L90+2"}, edit: both(cutOff(Deny, true), gatewayErrors(2)), want: want{reason: "nobody answered"}},
		{name: "nobody turned away", hits: []string{"D84+2"}, edit: cutOff(Deny, true), want: want{reason: "no hit was turned away"}},
	} {
		c.run(t, UnheardIsTold)
	}
}

func TestFailuresSpend(t *testing.T) {
	for _, c := range []bookCase{
		{name: "counted once", hits: []string{"B84+2", "F90+2", "D95+1"}, edit: booked(2, 1), want: want{verdict: reports.Pass, reason: "2 failed hits of 3 hits, each counted once"}},
		{name: "given back by the limiter", hits: []string{"B84+2", "F90+2", "B95+1"}, edit: booked(3, 0), want: want{reports.Fail, reports.Limiter, "counting each of 3 failed hits once: window 1, opened at 84ms, admitted 3 of 2 hits"}},
		{name: "let through without the limiter", hits: []string{"B84+2", "F90+2", "B95+1"}, edit: booked(0, 0), want: want{reports.Fail, reports.Gateway, "no limiter call was made for 3 of 3"}},
		{name: "asked again", hits: []string{"F84+2", "D90+2", "D95+1"}, edit: booked(2, 2), want: want{reports.Fail, reports.Gateway, "counting each of 1 failed hit once"}},
		{name: "booked twice", hits: []string{"B84+2", "F90+2", "D95+1"}, edit: booked(4, 1), want: want{reports.Fail, reports.Limiter, "authorized_calls +4 for 2 admitted"}},
		{name: "an error of the filter's", hits: []string{"B84+2", "E90+2", "D95+1"}, edit: booked(1, 1), want: want{reason: "may not have heard the authorizer in time"}},
		{name: "lost", hits: []string{"B84+2", "L90+2"}, want: want{reason: "nobody answered"}},
		{name: "nothing failed", want: want{reason: "no hit failed behind the limiter"}},
		{name: "no denial", hits: []string{"B84+2"}, want: want{reason: "no window was put to the test"}},
		{name: "limiter not read", hits: []string{"B84+2", "F90+2", "D95+1"}, edit: func(q *Question) { q.After.Limiter = nil }, want: want{reason: "the limiter book was not read"}},
	} {
		c.run(t, FailuresSpend)
	}
}

func TestLimitsAgain(t *testing.T) {
	mended := func(q *Question) {
		q.Want.Change = &Change{What: "the limiter could be reached again", Asked: 100 * ms, Done: 110 * ms, Budget: 50 * ms, Owner: reports.Gateway}
	}
	for _, c := range []bookCase{
		{name: "within the budget", hits: []string{"A84+2", "A115+2", "D130+1"}, want: want{verdict: reports.Pass, reason: "limited again 31ms after it"}},
		{name: "at once", hits: []string{"A84+2", "D101+2"}, want: want{verdict: reports.Pass}},
		{name: "stays open", hits: []string{"A84+2", "A161+2", "A190+1"}, edit: booked(0, 0), want: want{reports.Fail, reports.Gateway, "2 hits were admitted more than 50ms later, the last one at 190ms"}},
		{name: "the limiter says yes", hits: []string{"A84+2", "A90+2", "A161+2"}, want: want{reports.Fail, reports.Limiter, "1 hit was admitted more than 50ms later"}},
		{name: "comes and goes", hits: []string{"A84+2", "D115+2", "A130+1"}, want: want{reason: "and then 1 hit was admitted"}},
		{name: "was heard all along", hits: []string{"D84+2", "D115+2"}, want: want{reason: "no hit was admitted before it"}},
		{name: "nothing after", hits: []string{"A84+2"}, want: want{reason: "no hit was denied after it"}},
		{name: "lost", hits: []string{"A84+2", "L115+2"}, want: want{reason: "1 hit had no answer"}},
	} {
		c.edit = both(mended, func(edit func(*Question)) func(*Question) {
			if edit == nil {
				return func(*Question) {}
			}
			return edit
		}(c.edit))
		c.run(t, LimitsAgain)
	}
	bookCase{name: "no change", want: want{reason: "names no change"}}.run(t, LimitsAgain)
}
