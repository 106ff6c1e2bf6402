package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// bookCase judges one rule after the books were changed; hits are full.
type bookCase struct {
	name string
	hits []string
	edit func(*Question)
	want want
}

func (c bookCase) run(t *testing.T, rule string) {
	h := c.hits
	if h == nil {
		h = full
	}
	windowCase{name: c.name, hits: h, edit: c.edit, want: c.want}.run(t, rule)
}

// booked sets what the limiter booked for alice.
func booked(authorized, limited int64) func(*Question) {
	return func(q *Question) {
		calls := evidence.Calls{Authorized: authorized, Limited: limited, Hits: authorized}
		q.After.Limiter.Users["alice"], q.After.Limiter.Total = calls, calls
	}
}

func both(edits ...func(*Question)) func(*Question) {
	return func(q *Question) {
		for _, edit := range edits {
			edit(q)
		}
	}
}

func gatewayErrors(n int64) func(*Question) { return func(q *Question) { q.After.Gateway.Errors = n } }
func crowded(q *Question)                   { q.Alone = false }
func noUsers(q *Question)                   { q.Before.Limiter.Users, q.After.Limiter.Users = nil, nil }
func restarted(q *Question)                 { q.After.Limiter.Instances = []string{"limiter@2"} }
func twoPolicies(q *Question) {
	other := limitOf(50, 10*sec)
	other.Policy = "llm-d/other"
	q.Subject.Limits = append(q.Subject.Limits, other)
}

// visited adds six denied hits of a caller whom the ledger does not know.
func visited(q *Question) {
	const hits = 6
	q.After.Limiter.Users["mallory"] = evidence.Calls{Limited: hits}
	q.After.Limiter.Total.Limited += hits
	q.After.Gateway.Hits += hits
	q.After.Gateway.Denied += hits
}

// manyDenied are two admitted hits and six denied ones.
var manyDenied = []string{"A84+2", "A86+2", "D90+1", "D92+1", "D94+1", "D96+1", "D98+1", "D100+1"}

// bookedAll has the limiter book every call of an examination.
func bookedAll(e *evidence.Examination) {
	yes := int64(e.InTurn.Admitted + e.Together.Admitted)
	e.Booked = &evidence.Calls{Authorized: yes, Limited: int64(e.InTurn.Calls+e.Together.Calls) - yes, Hits: yes}
}

func TestReconciled(t *testing.T) {
	limiter := func(reason string) want { return want{reports.Fail, reports.Limiter, reason} }
	for _, c := range []bookCase{
		{name: "equal", want: want{verdict: reports.Pass}},
		{name: "authorised doubled", edit: booked(4, 1), want: limiter("authorized_calls +4 for 2 admitted, 1 denied, 0 unknown: at most +2 can be")},
		{name: "limited missing", edit: booked(2, 0), want: limiter("limited_calls +0 for 2 admitted, 1 denied, 0 unknown: at least +1 must be")},
		{name: "on the wrong side", edit: booked(3, 0), want: limiter("the calls add up, but on the wrong side")},
		{name: "limited too many", edit: booked(2, 3), want: limiter("limited_calls +3")},
		{name: "denied but let pass", edit: booked(1, 2), want: want{reports.Fail, reports.Gateway, "limited_calls +2 for 2 admitted, 1 denied"}},
		{name: "never asked", edit: booked(1, 1), want: want{reports.Fail, reports.Gateway, "at least +2 must be; the gateway's errors +0"}},
		{name: "unheard", edit: both(booked(1, 1), gatewayErrors(1)), want: want{verdict: reports.Pass, reason: "the gateway's errors +1 allow"}},
		{name: "unheard, beside others", edit: both(booked(1, 1), gatewayErrors(1), crowded), want: want{reason: "others ran beside"}},
		{name: "errors not read", edit: both(booked(1, 1), func(q *Question) { q.After.Gateway = nil }), want: want{reason: "the gateway's errors were not read"}},
		{name: "heard late and counted as denied", edit: both(booked(1, 2), gatewayErrors(1)), want: want{verdict: reports.Pass, reason: "errors +1"}},
		{name: "lost and counted", hits: []string{"A1+1", "L3+1"}, edit: booked(2, 0), want: want{verdict: reports.Pass, reason: "1 unknown allow"}},
		{name: "lost and not counted", hits: []string{"A1+1", "L3+1"}, edit: booked(1, 0), want: want{verdict: reports.Pass}},
		{name: "lost and counted twice", hits: []string{"A1+1", "L3+1"}, edit: booked(2, 1), want: limiter("3 calls for")},
		{name: "units differ", edit: func(q *Question) {
			q.After.Limiter.Users["alice"] = evidence.Calls{Authorized: 2, Limited: 1, Hits: 4}
			q.After.Limiter.Total.Hits = 4
		}, want: limiter("authorized_hits +4 for authorized_calls +2")},
		{name: "units not kept", edit: func(q *Question) {
			q.After.Limiter.Users["alice"] = evidence.Calls{Authorized: 2, Limited: 1}
			q.After.Limiter.Total = evidence.Calls{Authorized: 2, Limited: 1}
		}, want: want{verdict: reports.Pass}},
		{name: "booked on nobody", edit: both(booked(0, 0), func(q *Question) { q.After.Limiter.Unlabelled.Authorized = 3 }), want: limiter("the limiter booked 3 calls on nobody")},
		{name: "booked on nobody whose counter is everybody's", edit: both(booked(0, 0), func(q *Question) {
			q.Subject.Limits[0].Pooled = true
			q.After.Limiter.Unlabelled.Authorized = 3
		}), want: want{reason: "names nobody on calls of limits that are not counted by the caller"}},
		{name: "denied unasked", hits: manyDenied, edit: both(booked(2, 1), examined(bookedAll)), want: want{reports.Fail, reports.Gateway, "and booked each of them (limited_calls +63)"}},
		{name: "denied unasked, as far as can be told", hits: manyDenied, edit: both(booked(2, 1), examined()), want: limiter("limited_calls +1 for 2 admitted, 6 denied")},
		{name: "asked, and not booked", hits: manyDenied, edit: both(booked(2, 1), examined(bookedAll, func(e *evidence.Examination) { e.Booked.Limited -= 20 })), want: limiter("limited_calls +1 for 2 admitted, 6 denied")},
		{name: "few denials missing", hits: manyDenied, edit: both(booked(2, 4), examined(bookedAll)), want: limiter("limited_calls +4 for 2 admitted, 6 denied")},
		{name: "denials on the wrong side", hits: manyDenied, edit: both(booked(7, 1), examined(bookedAll)), want: limiter("on the wrong side")},
		{name: "two calls a hit", edit: both(tokensToo, booked(3, 1)), want: want{reason: "one hit can make 2 calls"}},
		{name: "two policies in one call", edit: twoPolicies, want: want{verdict: reports.Pass}},
		{name: "two policies in two calls", edit: both(twoPolicies, booked(3, 1)), want: limiter("authorized_calls +3 for 2 admitted, 1 denied, 0 unknown: at most +2 can be")},
		{name: "booked on nobody but for the tokens, whose counter is the caller's", edit: both(booked(2, 0), func(q *Question) {
			q.Subject.Limits[0].Pooled = true
			q.Subject.Limits = append(q.Subject.Limits, tier.Limit{Name: "tokens", Policy: "ns/t", Unit: tier.Tokens, Quota: 99, Window: 10 * sec, Counters: q.Subject.Limits[0].Counters})
			q.After.Limiter.Unlabelled.Limited = 1
		}), want: want{reason: "names nobody on calls of limits that are not counted by the caller"}},
		{name: "no user label, alone", edit: noUsers, want: want{verdict: reports.Pass}},
		{name: "no user label, others beside", edit: both(noUsers, crowded), want: want{reason: "does not tell the subject's calls from those of others"}},
		{name: "no user label, others beside, nobody counted", edit: both(booked(0, 0), noUsers, crowded), want: want{reports.Fail, reports.Limiter, "limited_calls +0"}},
		{name: "restarted", edit: restarted, want: want{reason: "processes changed"}},
		{name: "read for other namespaces", edit: func(q *Question) { q.After.Limiter.Scopes = []string{"llm-d/new"} }, want: want{reason: "other namespaces before than after"}},
		{name: "went backwards", edit: func(q *Question) { q.Before.Limiter.Users["alice"] = evidence.Calls{Authorized: 9} }, want: want{reason: "went backwards"}},
		{name: "not read", edit: func(q *Question) {
			q.After.Limiter, q.After.Missing = nil, map[string]string{"limiter": "connection refused"}
		}, want: want{reason: `the limiter book was not read: "connection refused"`}},
		{name: "refused only", hits: []string{"R1+1"}, want: want{reason: "no hit of the subject got past authentication"}},
	} {
		c.run(t, Reconciled)
	}
}

func TestPrometheusAgrees(t *testing.T) {
	shows := func(authorized, limited int64) func(*Question) {
		return func(q *Question) {
			q.After.Prometheus.Users["alice"] = evidence.Calls{Authorized: authorized, Limited: limited, Hits: authorized}
		}
	}
	for _, c := range []bookCase{
		{name: "equal", want: want{verdict: reports.Pass}},
		{name: "lost a sample", edit: shows(2, 0), want: want{
			reports.Fail, reports.Prometheus,
			"Prometheus shows authorized_calls +2, limited_calls +0, authorized_hits +2 where the limiter's own text shows +2, +1, +2",
		}},
		{name: "scraped before the last hit", edit: func(q *Question) { q.After.Prometheus.Scraped = began.Add(90 * ms) }, want: want{reason: "taken 6ms before the last hit was over"}},
		{name: "scraped before the snapshot, clock not dated", edit: func(q *Question) { q.Began, q.After.At = q.After.At, q.After.At.Add(sec) }, want: want{reason: "before the last hit"}},
		{name: "not dated", edit: func(q *Question) {
			q.Began = evidence.Snapshot{}.At
			q.After.At = q.After.Prometheus.Scraped.Add(sec)
		}, want: want{reason: "taken 1s before"}},
		{name: "behind at the start", edit: both(shows(5, 1), func(q *Question) {
			q.Before.Limiter.Users["alice"] = evidence.Calls{Authorized: 3, Hits: 3}
			q.After.Limiter.Users["alice"] = evidence.Calls{Authorized: 5, Limited: 1, Hits: 5}
		}), want: want{reason: "a sample from before the first snapshot, may explain it"}},
		{name: "lost hits may be counted late", hits: []string{"A1+1", "L3+1"}, edit: shows(2, 0), want: want{reason: "hits without an answer"}},
		{name: "restarted", edit: func(q *Question) { q.After.Prometheus.Instances = []string{"limiter@2"} }, want: want{reason: "processes changed"}},
		{name: "labels lost on the way", edit: func(q *Question) { q.Before.Prometheus.Users, q.After.Prometheus.Users = nil, nil }, want: want{reports.Fail, reports.Prometheus, "name no caller"}},
		{name: "no sample of anybody", edit: func(q *Question) {
			blank := map[string]evidence.Calls{}
			q.Before.Prometheus.Users, q.After.Prometheus.Users, q.After.Prometheus.Total = blank, blank, evidence.Calls{}
		}, want: want{reports.Fail, reports.Prometheus, "Prometheus shows authorized_calls +0, limited_calls +0"}},
		{name: "not read", edit: func(q *Question) { q.Before.Prometheus = nil }, want: want{reason: "the prometheus book was not read"}},
		{name: "nothing to compare with", edit: func(q *Question) { q.Before.Limiter = nil }, want: want{reason: "the limiter book was not read"}},
	} {
		c.run(t, PrometheusAgrees)
	}
}

func TestGatewayAgrees(t *testing.T) {
	moved := func(g evidence.GatewayBook) func(*Question) { return func(q *Question) { q.After.Gateway = &g } }
	gateway := func(reason string) want { return want{reports.Fail, reports.Gateway, reason} }
	for _, c := range []bookCase{
		{name: "equal", want: want{verdict: reports.Pass}},
		{name: "errors", edit: gatewayErrors(2), want: gateway("2 calls of the gateway to the authorizer or the limiter failed or came too late (its errors +2 for 3 hits)")},
		{name: "misses", edit: moved(evidence.GatewayBook{Hits: 1, Misses: 2, Denied: 1}), want: gateway("2 hits were without a policy (the gateway's misses +2)")},
		{name: "misses on an open route", hits: []string{"A1+1"}, edit: both(moved(evidence.GatewayBook{Misses: 1}), func(q *Question) { q.Subject.Limits = nil }), want: want{verdict: reports.Pass}},
		{name: "too many hits", edit: moved(evidence.GatewayBook{Hits: 4, Denied: 1}), want: gateway("the gateway saw 4 of 3 hits")},
		{name: "lost hits may not have arrived", hits: []string{"A1+1", "L3+1"}, edit: moved(evidence.GatewayBook{Hits: 1}), want: want{verdict: reports.Pass}},
		{name: "denials not booked", edit: moved(evidence.GatewayBook{Hits: 3}), want: gateway("booked 0 denials for 1 denied and 0 refused")},
		{name: "others beside", edit: crowded, want: want{reason: "others ran beside"}},
		{name: "visitors that the limiter's book names", edit: visited, want: want{reason: "others ran beside"}},
		{name: "visitors of a stack that others may use", edit: both(func(q *Question) { q.Shared = true }, moved(evidence.GatewayBook{Hits: 4, Denied: 2})), want: want{reason: "others ran beside"}},
		{name: "a stranger in the limiter's book, but no more hits", edit: both(visited, moved(evidence.GatewayBook{Hits: 3, Denied: 3})), want: gateway("booked 3 denials")},
		{name: "visitors where the limiter's book names nobody", edit: both(visited, noUsers), want: want{reason: "others ran beside"}},
		{name: "restarted", edit: both(func(q *Question) { q.Before.Gateway.Hits = 9 }), want: want{reason: "so it restarted"}},
		{name: "not read", edit: func(q *Question) { q.After.Gateway = nil }, want: want{reason: "the gateway book was not read"}},
	} {
		c.run(t, GatewayAgrees)
	}
}

func TestBackendAgrees(t *testing.T) {
	served := func(ids map[string]int) func(*Question) {
		return func(q *Question) { q.After.Backend = &evidence.BackendBook{Served: 9, Hits: ids} }
	}
	total := func(n int64) func(*Question) {
		return func(q *Question) { q.After.Backend = &evidence.BackendBook{Served: n} }
	}
	gateway := func(reason string) want { return want{reports.Fail, reports.Gateway, reason} }
	for _, c := range []bookCase{
		{name: "equal", want: want{verdict: reports.Pass}},
		{name: "denied reached the model", edit: served(map[string]int{"hit-0": 1, "hit-1": 1, "hit-2": 1}), want: gateway("1 hit was denied or refused and reached the model")},
		{name: "served twice", edit: served(map[string]int{"hit-0": 1, "hit-1": 2}), want: gateway("1 hit was served more than once")},
		{name: "admitted never arrived", edit: served(map[string]int{"hit-0": 1}), want: gateway("1 hit was admitted and never reached the model")},
		{name: "served before", edit: both(served(map[string]int{"hit-0": 2, "hit-1": 1}), func(q *Question) { q.Before.Backend.Hits["hit-0"] = 1 }), want: want{verdict: reports.Pass}},
		{name: "lost and served", hits: []string{"A1+1", "L3+1"}, edit: served(map[string]int{"hit-0": 1, "hit-1": 1}), want: want{verdict: reports.Pass}},
		{name: "totals agree", edit: total(2), want: want{verdict: reports.Pass, reason: "judged by totals"}},
		{name: "totals too high", edit: total(3), want: gateway("the model served 3 where 2 were admitted")},
		{name: "totals too low", edit: total(1), want: gateway("the model served 1 where")},
		{name: "totals, others beside", edit: both(total(2), crowded), want: want{reason: "keeps no journal of hits, and others ran beside"}},
		{name: "restarted", edit: func(q *Question) { q.Before.Backend.Served = 99 }, want: want{reason: "so it restarted"}},
		{name: "not read", edit: func(q *Question) { q.Before.Backend = nil }, want: want{reason: "the backend book was not read"}},
	} {
		c.run(t, BackendAgrees)
	}
}

func TestUntouched(t *testing.T) {
	refused := []string{"R1+1", "R3+1"}
	outsider := func(q *Question) {
		q.Subject = Subject{}
	}
	for _, c := range []bookCase{
		{name: "still", hits: refused, want: want{verdict: reports.Pass}},
		{name: "moved by visitors", hits: refused, edit: both(outsider, visited), want: want{reason: "others that ran beside"}},
		{name: "moved by a stranger, but no more hits", hits: refused, edit: both(outsider, visited, func(q *Question) { q.After.Gateway.Hits = 2 }), want: want{reports.Fail, reports.Gateway, "limited_calls +6"}},
		{name: "moved for nobody, though visitors are not named", hits: refused, edit: both(outsider, booked(0, 6), noUsers, func(q *Question) { q.After.Gateway.Hits = 2 }), want: want{reports.Fail, reports.Gateway, "limited_calls +6"}},
		{name: "moved", hits: refused, edit: booked(1, 0), want: want{reports.Fail, reports.Gateway, "authorized_calls +1, limited_calls +0, authorized_hits +1 for 2 hits that must not count"}},
		{name: "for hits that were let in", hits: []string{"A1+1", "D3+1"}, edit: booked(1, 1), want: want{reports.Fail, reports.Authorizer, "authorized_calls +1, limited_calls +1"}},
		{name: "for more than were let in", hits: []string{"A1+1", "R3+1"}, edit: booked(1, 1), want: want{reports.Fail, reports.Gateway, "authorized_calls +1, limited_calls +1"}},
		{name: "outsiders, alone", hits: refused, edit: outsider, want: want{verdict: reports.Pass}},
		{name: "outsiders move the total", hits: refused, edit: both(outsider, booked(0, 1)), want: want{reports.Fail, reports.Gateway, "limited_calls +1"}},
		{name: "outsiders, others beside", hits: refused, edit: both(outsider, crowded, booked(0, 1)), want: want{reason: "does not tell the subject's calls"}},
		{name: "outsiders, others beside, nobody counted", hits: refused, edit: both(outsider, crowded), want: want{verdict: reports.Pass}},
		{name: "no user label, others beside, nobody counted", hits: refused, edit: both(crowded, noUsers), want: want{verdict: reports.Pass}},
		{name: "no user label, others beside, somebody counted", hits: refused, edit: both(crowded, booked(0, 1), noUsers), want: want{reason: "does not tell the subject's calls"}},
		{name: "let in and counted on nobody, others beside", hits: refused, edit: both(crowded, noUsers, func(q *Question) { q.After.Limiter.Unlabelled.Limited = 1 }), want: want{reason: "does not tell the subject's calls"}},
		{name: "not read", hits: refused, edit: func(q *Question) { q.After.Limiter = nil }, want: want{reason: "was not read"}},
	} {
		c.run(t, Untouched)
	}
}

func TestLimitsInForce(t *testing.T) {
	free := evidence.LimitInForce{Namespace: "llm-d/route", MaxValue: 2, Seconds: 120, Name: "free", Conditions: []string{"a", "b"}, Variables: []string{"u"}}
	turned, unnamed, long := free, free, free
	turned.Conditions = []string{"b", "a"}
	unnamed.Name = ""
	long.Seconds = 7200
	inForce := func(want, got []evidence.LimitInForce) func(*Question) {
		return func(q *Question) { q.Want.InForce, q.After.Limiter.InForce = want, got }
	}
	one := []evidence.LimitInForce{free}
	for _, c := range []bookCase{
		{name: "equal", edit: inForce(one, []evidence.LimitInForce{turned}), want: want{verdict: reports.Pass}},
		{name: "unnamed", edit: inForce(one, []evidence.LimitInForce{unnamed}), want: want{verdict: reports.Pass}},
		{name: "another window", edit: inForce(one, []evidence.LimitInForce{long}), want: want{reports.Fail, reports.Limiter, `of 1 limit in the policy 1 are not in force, and 1 are in force that the policy does not have; missing: "free" 2 / 2m0s`}},
		{name: "twice", edit: inForce(one, []evidence.LimitInForce{free, free}), want: want{reports.Fail, reports.Limiter, "0 are not in force, and 1 are"}},
		{name: "none", edit: inForce(one, nil), want: want{reports.Fail, reports.Limiter, "1 are not in force"}},
		{name: "nothing declared", want: want{reason: "does not say which limits"}},
		{name: "not read", edit: both(inForce(one, one), func(q *Question) { q.After.Limiter = nil }), want: want{reason: "was not read"}},
	} {
		c.run(t, LimitsInForce)
	}
	t.Run("needs no hits", func(t *testing.T) {
		q := question(nil, tier.Limit{})
		inForce(one, one)(&q)
		want{verdict: reports.Pass}.check(t, ruleNamed(t, LimitsInForce).Judge(q, nil))
	})
}
