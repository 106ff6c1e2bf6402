package oracle

import (
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// named is a limit with all that /counters tells it by.
func named(name string, quota int64, window time.Duration) tier.Limit {
	l := limitOf(quota, window)
	l.Name, l.ID, l.Scope = name, "limit."+name+"__00", "llm-d/route"
	return l
}

// live is a counter of alice's as /counters shows it.
func live(l tier.Limit, quota int64, remaining uint64) evidence.LiveCounter {
	return evidence.LiveCounter{
		Limit: evidence.LimitInForce{
			Namespace: l.Scope, MaxValue: quota, Seconds: int64(l.Window / sec), Name: l.Name,
			Conditions: []string{`descriptors[0]["` + l.ID + `"] == "1"`},
		},
		Values: []string{"alice"}, Remaining: remaining, ExpiresIn: 5,
	}
}

func someoneElses(c evidence.LiveCounter) evidence.LiveCounter {
	c.Values = []string{"bob"}
	return c
}

func TestCountersTell(t *testing.T) {
	limit := named("requests", 5, 10*sec)
	const wrapped = ^uint64(0) - 2
	for name, c := range map[string]struct {
		counters []evidence.LiveCounter
		edit     func(*Question)
		want     want
	}{
		"what is left":            {counters: []evidence.LiveCounter{live(limit, 5, 2)}, want: want{verdict: reports.Pass}},
		"beside others":           {counters: []evidence.LiveCounter{someoneElses(live(limit, 5, 4)), live(limit, 5, 2)}, want: want{verdict: reports.Pass}},
		"too much left":           {counters: []evidence.LiveCounter{live(limit, 5, 3)}, want: want{reports.Fail, reports.Limiter, "3 of 5 are left after 3 hits"}},
		"too little left":         {counters: []evidence.LiveCounter{live(limit, 5, 1)}, want: want{reports.Fail, reports.Limiter, "1 of 5 are left"}},
		"wrapped below zero":      {counters: []evidence.LiveCounter{live(limit, 5, wrapped)}, want: want{reports.Fail, reports.Limiter, "wrapped below zero"}},
		"the quota of before":     {counters: []evidence.LiveCounter{live(limit, 9, 2)}, want: want{reports.Fail, reports.Limiter, "a quota of 9 where 5 is in force"}},
		"nothing":                 {want: want{reports.Fail, reports.Limiter, "no counter for 3 hits"}},
		"only another caller's":   {counters: []evidence.LiveCounter{someoneElses(live(limit, 5, 2))}, want: want{reports.Fail, reports.Limiter, "no counter"}},
		"lowered below its use":   {counters: []evidence.LiveCounter{live(limit, 2, 0)}, edit: func(q *Question) { q.Subject.Limits[0].Quota = 2 }, want: want{verdict: reports.Pass}},
		"not heard of by all":     {counters: []evidence.LiveCounter{live(limit, 5, 3)}, edit: func(q *Question) { q.After.Gateway.Errors++ }, want: want{reason: "need have reached"}},
		"not read":                {edit: func(q *Question) { q.Counters = nil }, want: want{reason: "was not read"}},
		"unreadable":              {edit: func(q *Question) { q.Counters.Missing = "refused" }, want: want{reason: `"refused"`}},
		"after the window":        {edit: func(q *Question) { q.Counters.At = began.Add(10*sec + 84*ms) }, want: want{reason: "no window was certainly open"}},
		"of one used before":      {edit: func(q *Question) { q.Subject.Fresh = false }, want: want{reason: "may have been live before"}},
		"of a limit of everybody": {edit: func(q *Question) { q.Subject.Limits[0].Counters = nil }, want: want{reason: "no window was certainly open"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, "A84+1", "A86+1", "A88+1", "D90+1")
			q := question(entries, limit)
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: c.counters}
			if c.edit != nil {
				c.edit(&q)
			}
			c.want.check(t, ruleNamed(t, CountersTell).Judge(q, entries))
		})
	}
}

func TestRefusalsOpenNothing(t *testing.T) {
	spent, wide := named("spent", 2, 10*sec), named("wide", 4, 60*sec)
	denied := []string{"A84+1", "A86+1", "D90+1"}
	for name, c := range map[string]struct {
		hits     []string
		limits   []tier.Limit
		counters []evidence.LiveCounter
		want     want
	}{
		"no window":          {denied, []tier.Limit{spent, wide}, []evidence.LiveCounter{live(spent, 2, 0)}, want{verdict: reports.Pass}},
		"a window with hits": {denied, []tier.Limit{spent, wide}, []evidence.LiveCounter{live(spent, 2, 0), live(wide, 4, 2)}, want{verdict: reports.Pass}},
		"an empty window":    {denied, []tier.Limit{spent, wide}, []evidence.LiveCounter{live(spent, 2, 0), live(wide, 4, 4)}, want{reports.Fail, reports.Limiter, "none of its 4 hits is counted"}},
		"another caller's":   {denied, []tier.Limit{spent, wide}, []evidence.LiveCounter{live(spent, 2, 0), someoneElses(live(wide, 4, 4))}, want{verdict: reports.Pass}},
		"one limit":          {denied, []tier.Limit{spent}, []evidence.LiveCounter{live(spent, 2, 0)}, want{reason: "one limit"}},
		"no denial":          {denied[:2], []tier.Limit{spent, wide}, []evidence.LiveCounter{live(spent, 2, 0)}, want{reason: "no hit was denied"}},
		"no counter at all":  {denied, []tier.Limit{spent, wide}, nil, want{reason: "shows no counter"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := question(entries, c.limits...)
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: c.counters}
			c.want.check(t, ruleNamed(t, RefusalsOpenNothing).Judge(q, entries))
		})
	}
}
