package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// countedAs shows counters of other keys in /counters.
func countedAs(keys ...string) func(*Question) {
	return func(q *Question) {
		q.Subject.Limits[0] = named("requests", 2, 10*sec)
		q.Counters = &evidence.CounterBook{At: began.Add(sec)}
		for _, key := range keys {
			c := live(q.Subject.Limits[0], 2, 1)
			c.Values = []string{key}
			q.Counters.Counters = append(q.Counters.Counters, c)
		}
	}
}

// Three of two were admitted; whose fault is it? (cases.md G6)
func TestOverAdmissionIsAttributed(t *testing.T) {
	three := []string{"A84+2", "A90+2", "A95+2", "D99+1"}
	for _, c := range []struct {
		name       string
		hits       []string
		edit       func(*Question)
		component  reports.Component
		reason     string
		conclusion string
	}{
		{
			"the limiter said yes", three, nil, reports.Limiter,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3)",
			"the limiter said yes to every hit that passed, and the gateway obeyed",
		},
		{
			"the limiter was not heard", three, both(booked(2, 1), gatewayErrors(1)), reports.Gateway,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter was not heard for 1 of 3 (its authorized_calls +2, the gateway's errors +1)",
			"the gateway lets a hit pass when the limiter fails or times out: failure mode allow",
		},
		{
			"its no came too late", three, both(booked(2, 2), gatewayErrors(1)), reports.Gateway,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter was not heard for 1 of 3 (its authorized_calls +2, the gateway's errors +1)",
			"the gateway lets a hit pass when the limiter fails or times out: failure mode allow",
		},
		{
			"no call was made", three, booked(2, 1), reports.Gateway,
			"window 1, opened at 84ms, admitted 3 of 2 hits; no limiter call was made for 1 of 3 (its authorized_calls +2, the gateway's errors +0)",
			"the gateway let hits pass without asking the limiter",
		},
		{
			"no action set matched", three, both(booked(2, 1), misses(1)), reports.Gateway,
			"window 1, opened at 84ms, admitted 3 of 2 hits; no limiter call was made for 1 of 3 (its authorized_calls +2, the gateway's misses +1)",
			"no action set of the gateway matched these hits",
		},
		{
			"the limiter's no was not obeyed", three, booked(2, 2), reports.Gateway,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter denied 1 of them (its limited_calls +2 for 1 denial seen)",
			"the gateway let pass what the limiter denied",
		},
		{
			"the gateway's counters were not read", three, both(booked(2, 1), func(q *Question) { q.After.Gateway = nil }), reports.Gateway,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter has no account of 1 of 3 (its authorized_calls +2), and the gateway book was not read",
			"the gateway did not ask the limiter, or did not wait for its answer",
		},
		{
			"the limiter's book was not read", three, func(q *Question) { q.After.Limiter = nil }, reports.Unattributed,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter book was not read",
			"without the limiter's own count, its yes cannot be told from a call that was not heard",
		},
		{
			"counted as several callers", three, countedAs("alice/127.0.0.1", "bob"), reports.Gateway,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter counts under 1 more key that the caller's name begins, such as \"alice/127.0.0.1\"",
			"the gateway asks the limiter to count one caller as several",
		},
		{
			"named as several callers", three, both(countedAs("alice-second"), func(q *Question) {
				q.After.Limiter.Users["alice-second"] = evidence.Calls{Authorized: 1, Hits: 1}
			}), reports.Authorizer,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter counts under 1 more key that the caller's name begins, such as \"alice-second\"",
			"the authorizer hands out several ids for one caller",
		},
		{
			"beside others of like names", three, countedAs("alice2", "malice"), reports.Limiter,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3)",
			"the limiter said yes to every hit that passed, and the gateway obeyed",
		},
		{
			"a lost hit blurs it", append([]string{"L80+1"}, three...), both(booked(3, 1), gatewayErrors(1)), reports.Unattributed,
			"window 1, opened at 80ms, admitted 3 of 2 hits; the limiter's authorized_calls +3 are for 3 admitted, 1 denied and 1 unknown, and its calls may have failed",
			"whether the limiter said yes to the hits that passed, or was not heard, cannot be told",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := question(entries, limitOf(2, 10*sec))
			if c.edit != nil {
				c.edit(&q)
			}
			f := ruleNamed(t, NoOverrun).Judge(q, entries)
			want{reports.Fail, c.component, c.reason}.check(t, f)
			if f.Reason != c.reason {
				t.Errorf("reason is %q, want %q", f.Reason, c.reason)
			}
			if f.Attribution != c.conclusion {
				t.Errorf("attribution is %q, want %q", f.Attribution, c.conclusion)
			}
		})
	}
}
