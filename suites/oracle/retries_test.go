package oracle

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// thrice has the model get the hits of some entries three times.
func thrice(entries ...int) func(*Question) {
	return func(q *Question) {
		for _, n := range entries {
			q.After.Backend.Hits[fmt.Sprintf("hit-%d", n-1)] = 3
		}
	}
}

func TestRetriesSpendOnce(t *testing.T) {
	failed := []string{"F84+2", "F90+2", "D95+1"}
	for _, c := range []bookCase{
		{name: "counted once", hits: failed, edit: both(booked(2, 1), thrice(1, 2)), want: want{verdict: reports.Pass, reason: "2 hits sent again, up to 3 times in all; 2 failed hits of 3 hits, each counted once"}},
		{name: "counted each time", hits: []string{"F84+2", "D90+2", "D95+1"}, edit: both(booked(2, 3), thrice(1)), want: want{reports.Fail, reports.Gateway, "counting each of 1 failed hit once"}},
		{name: "given back", hits: []string{"F84+2", "F90+2", "F95+1"}, edit: both(booked(3, 0), thrice(1, 2, 3)), want: want{reports.Fail, reports.Limiter, "admitted 3 of 2"}},
		{name: "not sent again", hits: failed, edit: booked(2, 1), want: want{reason: "no hit reached the model more than once"}},
		{name: "no journal", hits: failed, edit: both(booked(2, 1), func(q *Question) { q.After.Backend.Hits = nil }), want: want{reason: "keeps no journal"}},
		{name: "backend not read", hits: failed, edit: both(booked(2, 1), func(q *Question) { q.After.Backend = nil }), want: want{reason: "the backend book was not read"}},
	} {
		c.run(t, RetriesSpendOnce)
	}
}

func TestRetriesOfASoundSystemAreNeverAccused(t *testing.T) {
	rule, passed := ruleNamed(t, RetriesSpendOnce), 0
	rapid.Check(t, func(t *rapid.T) {
		c := drawConditions(t)
		// Only the model fails hits: with losses of other kinds little is known.
		c.Unheard, c.Losses = false, false
		q, entries := c.trialOf()
		rng := rand.New(rand.NewPCG(c.Seed, 3))
		for i := range entries {
			if e := &entries[i]; e.Outcome == evidence.Admitted && rng.IntN(3) == 0 {
				e.Outcome, e.Status, e.From = evidence.Failed, 502, evidence.FromBackend
				q.After.Backend.Hits[e.Hit] = 2 + rng.IntN(3)
			}
		}
		f := rule.Judge(q, entries)
		switch f.Verdict {
		case reports.Fail:
			t.Fatalf("accuses a correct %q: %s; %s\n%+v", f.Component, f.Reason, f.Attribution, c)
		case reports.Pass:
			passed++
		case reports.Inconclusive, reports.NotJudged:
		}
	})
	t.Logf("passed %d times", passed)
	if passed == 0 {
		t.Error("it never passed: the property says nothing about it")
	}
}
