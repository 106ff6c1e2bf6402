package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestDenialsSpend(t *testing.T) {
	short, long := named("short", 2, 10*sec), named("long", 9, 60*sec)
	elsewhere, tokens := long, limitOf(5000, 60*sec)
	elsewhere.Policy, tokens.Unit = "llm-d/route-limits", tier.Tokens
	for name, c := range map[string]struct {
		limits   []tier.Limit
		counters []evidence.LiveCounter
		edit     func(*Question)
		want     want
	}{
		"nothing":              {limits: []tier.Limit{short, long}, counters: []evidence.LiveCounter{live(short, 2, 0), live(long, 9, 7)}, want: want{verdict: reports.Pass, reason: "2 hits were denied and spent nothing"}},
		"of the same call":     {limits: []tier.Limit{short, long}, counters: []evidence.LiveCounter{live(short, 2, 0), live(long, 9, 5)}, want: want{reports.Fail, reports.Limiter, "denied hits spent 2 of the quota of another limit; /counters: 5 of 9 left"}},
		"of two policies":      {limits: []tier.Limit{short, elsewhere}, counters: []evidence.LiveCounter{live(short, 2, 0), live(elsewhere, 9, 5)}, want: want{reports.Fail, reports.Limiter, "denied hits spent 2 of the quota of another limit"}},
		"across calls":         {limits: []tier.Limit{short, long, tokens}, counters: []evidence.LiveCounter{live(short, 2, 0), live(long, 9, 5)}, want: want{verdict: reports.Pass, reason: "2 hits were denied and spent 2 of 9 hits / 1m0s all the same"}},
		"more than was denied": {limits: []tier.Limit{short, long, tokens}, counters: []evidence.LiveCounter{live(short, 2, 0), live(long, 9, 4)}, want: want{reports.Fail, reports.Limiter, "spent 3"}},
		"one counter":          {limits: []tier.Limit{short, long}, counters: []evidence.LiveCounter{live(short, 2, 0)}, want: want{reason: "/counters shows 1 counter"}},
		"somebody else's":      {limits: []tier.Limit{short, long}, counters: []evidence.LiveCounter{live(short, 2, 0), someoneElses(live(long, 9, 5))}, want: want{reason: "/counters shows 1 counter"}},
		"after a window":       {limits: []tier.Limit{short, long}, counters: []evidence.LiveCounter{live(short, 2, 0), live(long, 9, 5)}, edit: func(q *Question) { q.Counters.At = began.Add(70 * sec) }, want: want{reason: "/counters shows 0 counters"}},
		"one limit":            {limits: []tier.Limit{short}, want: want{reason: "no other quota"}},
		"not read":             {limits: []tier.Limit{short, long}, edit: func(q *Question) { q.Counters = nil }, want: want{reason: "was not read"}},
		"of one used before":   {limits: []tier.Limit{short, long}, edit: func(q *Question) { q.Subject.Fresh = false }, want: want{reason: "may have been live"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, "A10+1", "A12+1", "D14+1", "D16+1")
			q := question(entries, c.limits...)
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: c.counters}
			orNothing(c.edit)(&q)
			c.want.check(t, ruleNamed(t, DenialsSpend).Judge(q, entries))
		})
	}
	for name, hits := range map[string][]string{"no hit was denied": {"A10+1"}, "no counter need be there": {"D10+1"}} {
		entries := ledger(t, hits...)
		q := question(entries, short, long)
		q.Counters = &evidence.CounterBook{At: began.Add(sec)}
		want{reason: name}.check(t, ruleNamed(t, DenialsSpend).Judge(q, entries))
	}
}

func TestEachBinds(t *testing.T) {
	limits := []tier.Limit{limitOf(2, 2*sec), limitOf(3, 60*sec)}
	for name, c := range map[string]struct {
		hits   []string
		limits []tier.Limit
		want   want
	}{
		"each in turn":        {[]string{"A10+1", "A12+1", "D14+1", "A2200+1", "D2210+1"}, limits, want{verdict: reports.Pass, reason: "each of 2 limits was reached and held"}},
		"only the first":      {[]string{"A10+1", "A12+1", "D14+1", "A2200+1", "A2210+1", "D2212+1"}, limits, want{reports.Fail, reports.Limiter, "2 limits apply, and this one does not bind: window 1, opened at 10ms, admitted 4 of 3"}},
		"only the second":     {[]string{"A10+1", "A12+1", "A14+1", "D16+1"}, limits, want{reports.Fail, reports.Limiter, "admitted 3 of 2"}},
		"the second untested": {[]string{"A10+1", "A12+1", "D14+1"}, limits, want{reason: "the limit of 3 hits / 1m0s was not put to the test"}},
		"one limit":           {[]string{"A10+1"}, limits[:1], want{reason: "none can bind after another"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			c.want.check(t, ruleNamed(t, EachBinds).Judge(question(entries, c.limits...), entries))
		})
	}
}

func TestOnlyMatching(t *testing.T) {
	for name, c := range map[string]struct {
		hits    []string
		attacks []string
		edit    func(*Question)
		want    want
	}{
		"only those":          {hits: []string{"A1+1", "A3+1", "A5+1", "D7+1", "A9+1"}, attacks: []string{"other", "match", "match", "match", "other"}, want: want{verdict: reports.Pass, reason: "2 of 2 hits that match were admitted and 1 denied, and 2 others passed by it"}},
		"not applied":         {hits: []string{"A1+1", "A3+1", "A5+1", "A7+1"}, attacks: []string{"other", "match", "match", "match"}, want: want{reports.Fail, reports.Limiter, "3 of 2 hits that the limit matches were admitted"}},
		"applied to others":   {hits: []string{"A1+1", "A3+1", "D5+1", "D7+1"}, attacks: []string{"other", "match", "match", "other"}, want: want{reports.Fail, reports.Gateway, "1 hit was denied that the limit does not match"}},
		"others counted":      {hits: []string{"A1+1", "A3+1", "D5+1"}, attacks: []string{"other", "match", "match"}, want: want{reports.Fail, reports.Gateway, "denied after 1 of 2 admissions"}},
		"nobody denied":       {hits: []string{"A1+1", "A3+1"}, attacks: []string{"other", "match"}, want: want{reason: "nothing was told apart"}},
		"no others":           {hits: []string{"A1+1", "A3+1", "D5+1"}, attacks: []string{"match", "match", "match"}, want: want{reason: "nothing was told apart"}},
		"an answer missing":   {hits: []string{"A1+1", "A3+1", "L5+1", "D7+1"}, attacks: []string{"other", "match", "match", "match"}, want: want{reason: "neither admitted nor denied"}},
		"over a window's end": {hits: []string{"A1+1", "A3+1", "D11000+1"}, attacks: []string{"other", "match", "match"}, want: want{reason: "took longer than a window"}},
		"of one used before":  {hits: []string{"A1+1", "A3+1", "D5+1"}, attacks: []string{"other", "match", "match"}, edit: func(q *Question) { q.Subject.Fresh = false }, want: want{reason: "may not be the subject's alone"}},
		"asked about two":     {hits: []string{"A1+1"}, attacks: []string{"match"}, edit: twoPolicies, want: want{reason: "2 limits are asked about"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := question(entries, limitOf(2, 10*sec))
			fired(&q, entries, c.attacks...)
			q.Want.Matching = []string{"match"}
			orNothing(c.edit)(&q)
			c.want.check(t, ruleNamed(t, OnlyMatching).Judge(q, entries))
		})
	}
}

func TestHeardAtAnySize(t *testing.T) {
	sizes := func(q *Question) { q.Want.Sizes = map[string]int{"small": 1, "large": 100} }
	users := func(alice, bob int64) func(*Question) {
		return func(q *Question) {
			q.After.Limiter.Users = map[string]evidence.Calls{"alice": {Authorized: alice, Limited: 1}, "bob": {Authorized: bob, Limited: 1}}
		}
	}
	for name, c := range map[string]struct {
		edit func(*Question)
		want want
	}{
		"every hit":       {both(sizes, users(1, 1)), want{verdict: reports.Pass, reason: "every hit was heard; milliseconds that half of the hits took at most over limits in force: 2 at 1, 20 at 100"}},
		"too late":        {both(sizes, users(1, 0), gatewayErrors(1)), want{reports.Fail, reports.Limiter, "the limiter has no account of 1 of 2 admitted hits; the gateway's errors +1"}},
		"late and booked": {both(sizes, users(1, 1), gatewayErrors(1)), want{reports.Fail, reports.Limiter, "0 of 2 admitted hits; the gateway's errors +1"}},
		"not asked":       {both(sizes, users(1, 0)), want{reports.Fail, reports.Gateway, "no account of 1 of 2"}},
		"with others":     {both(sizes, users(1, 1), crowded), want{reason: "others ran beside"}},
		"gateway unread":  {both(sizes, users(1, 1), func(q *Question) { q.After.Gateway = nil }), want{reason: "gateway book was not read"}},
		"limiter unread":  {both(sizes, func(q *Question) { q.After.Limiter = nil }), want{reason: "limiter book was not read"}},
		"one size":        {func(q *Question) { q.Want.Sizes = map[string]int{"small": 1} }, want{reason: "no two sizes"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, "A1+2", "D4+2", "A10+20", "D40+20")
			entries[2].Identity, entries[3].Identity = "premium/bob", "premium/bob"
			q := question(entries, limitOf(1, 10*sec))
			fired(&q, entries, "small", "small", "large", "large")
			q.Subject.Identity, q.Subject.Name = "", ""
			c.edit(&q)
			f := ruleNamed(t, HeardAtAnySize).Judge(q, entries)
			c.want.check(t, f)
			if f.Verdict == reports.Pass && len(f.Curve.Points) != 2 {
				t.Errorf("the curve has the points %v", f.Curve.Points)
			}
		})
	}
}
