package oracle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// racers makes entries of many identities: each spends its only hit, denies
// until the expiry, and then so many hits are admitted at once.
func racers(t *testing.T, admitted ...int) []evidence.Entry {
	t.Helper()
	var all []evidence.Entry
	for i, n := range admitted {
		begin := i * 50
		hits := []string{fmt.Sprintf("A%d+1", begin), fmt.Sprintf("D%d+1", begin+990)}
		for j := range n {
			hits = append(hits, fmt.Sprintf("A%d+1", begin+1003+j))
		}
		entries := ledger(t, append(hits, fmt.Sprintf("D%d+1", begin+1010))...)
		for j := range entries {
			e := &entries[j]
			e.Identity, e.Attack = fmt.Sprintf("premium/r%02d", i), fmt.Sprintf("r%d", i)
			e.Hit = fmt.Sprintf("hit-%d-%d", i, j)
		}
		all = append(all, entries...)
	}
	return all
}

func TestExpiryRaces(t *testing.T) {
	many := func(n int, races ...int) []int {
		list := make([]int, n)
		for i := range list {
			list[i] = 1
		}
		for i, more := range races {
			list[i] += more
		}
		return list
	}
	for name, c := range map[string]struct {
		admitted []int
		declared bool
		want     want
	}{
		"none":                 {many(60), false, want{verdict: reports.Pass, reason: "none of 60 windows"}},
		"as rare as measured":  {many(60, 1), true, want{verdict: reports.Pass, reason: "1 of 60 windows opened right after an expiry admitted one hit too many, at no higher rate than the real limiter's"}},
		"undeclared":           {many(60, 1), false, want{reports.Fail, "", "1 of 60 windows"}},
		"far more often":       {many(60, 1, 1, 1, 1, 1, 1), true, want{reports.Fail, "", "6 of 60 windows"}},
		"two too many":         {many(60, 2), true, want{reports.Fail, "", "admitted 2 of 1 hits, even if one more"}},
		"too few trials":       {many(5), false, want{reason: "5 pairs aimed"}},
		"too few, but too far": {many(5, 2), true, want{reports.Fail, "", "admitted 2 of 1 hits, even if one more"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := racers(t, c.admitted...)
			q := question(nil, limitOf(1, sec))
			q.Subject.Identity, q.Subject.Name = "", ""
			q.Attacks = nil
			if c.declared {
				q.Declared = []string{weakness.ExpiryRace}
			}
			for i := range c.admitted {
				planned := 0
				for _, e := range entries {
					if e.Attack == fmt.Sprintf("r%d", i) {
						planned++
					}
				}
				q.Attacks = append(q.Attacks, Attack{Name: fmt.Sprintf("r%d", i), Planned: planned})
			}
			q.Before.Limiter, q.After.Limiter = nil, nil
			c.want.check(t, ruleNamed(t, ExpiryRaces).Judge(q, entries))
		})
	}
}

func TestLikelyRaces(t *testing.T) {
	for trials, most := range map[int]int{0: 0, 1: 1, 100: 4, 1250: 17} {
		if got := likely(trials); got != most {
			t.Errorf("%d races in %d trials are no surprise, want %d", got, trials, most)
		}
	}
}

// A hit that passed because the limiter was not heard in time is no race.
func TestUnheardHitsAreNoRaces(t *testing.T) {
	entries := racers(t, slices.Repeat([]int{1}, 40)...)
	last := len(entries) - 1
	entries[last].Outcome, entries[last].Received = evidence.Admitted, entries[last].Sent+120*ms
	q := question(nil, limitOf(1, sec))
	q.Subject.Identity, q.Subject.Name = "", ""
	q.Attacks = nil
	users := map[string]evidence.Calls{}
	for _, e := range entries {
		name := strings.TrimPrefix(e.Identity, "premium/")
		calls := users[name]
		if e.Outcome == evidence.Admitted && e.Received-e.Sent < 100*ms {
			calls.Authorized++
		}
		if e.Outcome == evidence.Denied {
			calls.Limited++
		}
		users[name] = calls
	}
	for i := range 40 {
		q.Attacks = append(q.Attacks, Attack{Name: fmt.Sprintf("r%d", i), Planned: 4})
	}
	q.After.Limiter.Users, q.After.Gateway.Errors = users, 1
	want{verdict: reports.Pass, reason: "none of 40 windows"}.check(t, ruleNamed(t, ExpiryRaces).Judge(q, entries))

	// The same hit, answered at once by nobody knows whom, sets its caller aside.
	entries[last].Received = entries[last].Sent + ms
	want{verdict: reports.Pass, reason: "none of 39 windows"}.check(t, ruleNamed(t, ExpiryRaces).Judge(q, entries))
}
