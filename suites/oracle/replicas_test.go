package oracle

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// accounts are the limiters' own of alice, each admitted and denied.
func accounts(calls ...[2]int64) func(*Question) {
	return func(q *Question) {
		q.After.Limiter.Instances, q.Before.Limiter.Instances = nil, nil
		for i, c := range calls {
			name := fmt.Sprintf("limiter-%d@1", i)
			q.Replicas = append(q.Replicas, Replica{name, evidence.Calls{Authorized: c[0], Limited: c[1], Hits: c[0]}})
			q.After.Limiter.Instances = append(q.After.Limiter.Instances, name)
			q.Before.Limiter.Instances = append(q.Before.Limiter.Instances, name)
		}
	}
}

var (
	doubled = []string{"A84+1", "A86+1", "A88+1", "A90+1", "D92+1"}
	tripled = []string{"A84+1", "A86+1", "A88+1", "A90+1", "A91+1", "D93+1"}
)

func TestOneCounter(t *testing.T) {
	for _, c := range []bookCase{
		{name: "doubled", hits: doubled, edit: accounts([2]int64{2, 1}, [2]int64{2, 0}), want: want{reports.Fail, reports.Limiter, "2 limiters admitted 4 of 2 hits; each counts for itself (limiter-0@1 +2, limiter-1@1 +2)"}},
		{name: "shared", edit: accounts([2]int64{1, 1}, [2]int64{1, 0}), want: want{verdict: reports.Pass, reason: "2 limiters, of which 2 were asked, admitted 2 of 2 hits: they share a counter"}},
		{name: "one was not asked", edit: accounts([2]int64{2, 1}, [2]int64{0, 0}), want: want{reason: "only 1 of 2 limiters was asked"}},
		{name: "one limiter", edit: accounts([2]int64{2, 1}), want: want{verdict: reports.Pass, reason: "one limiter"}},
		{name: "one admits too many", hits: doubled, edit: accounts([2]int64{4, 0}, [2]int64{0, 1}), want: want{reports.Fail, reports.Limiter, "the 2 limiters answered all 4"}},
		{name: "unheard", hits: doubled, edit: both(accounts([2]int64{2, 0}, [2]int64{0, 1}), booked(2, 1), gatewayErrors(2)), want: want{reports.Fail, reports.Gateway, "the limiter was not heard for 2 of 4"}},
		{name: "no denial", hits: []string{"A84+1", "A86+1"}, edit: accounts([2]int64{1, 0}, [2]int64{1, 0}), want: want{reason: "no hit was denied"}},
		{name: "a restart", edit: accounts([2]int64{-1, 0}, [2]int64{1, 0}), want: want{reason: "went backwards"}},
		{name: "longer than a window", hits: []string{"A84+1", "A86+1", "A10100+1", "A10102+1"}, edit: accounts([2]int64{2, 1}, [2]int64{2, 0}), want: want{reason: "longer than a window"}},
		{name: "no account", want: want{reason: "no limiter's own account"}},
	} {
		c.run(t, OneCounter)
	}
}

func TestUnsharedIsFound(t *testing.T) {
	for _, c := range []bookCase{
		{
			name: "doubled, as declared", hits: doubled, edit: both(accounts([2]int64{2, 1}, [2]int64{2, 0}), declaring(weakness.UnsharedCounters)),
			want: want{verdict: reports.Pass, reason: "2 limiters admitted 4 of 2 hits"},
		},
		{name: "doubled, undeclared", hits: doubled, edit: accounts([2]int64{2, 1}, [2]int64{2, 0}), want: want{reports.Fail, reports.Limiter, "each counts for itself"}},
		{name: "shared", edit: accounts([2]int64{1, 1}, [2]int64{1, 0}), want: want{verdict: reports.Pass, reason: "they share a counter"}},
		{name: "more than doubled", hits: tripled, edit: accounts([2]int64{3, 1}, [2]int64{2, 0}), want: want{reports.Fail, reports.Limiter, "admitted 5 of 2 hits"}},
		{name: "not heard", hits: tripled, edit: both(accounts([2]int64{2, 1}, [2]int64{2, 0}), booked(4, 1), gatewayErrors(1)), want: want{reports.Fail, reports.Gateway, "not heard for 1 of 5"}},
		{name: "one was not asked", edit: accounts([2]int64{2, 1}, [2]int64{0, 0}), want: want{reason: "only 1 of 2 limiters was asked"}},
		{name: "one limiter", edit: accounts([2]int64{2, 1}), want: want{reason: "one limiter only"}},
		{name: "no account", want: want{reason: "no limiter's own account"}},
	} {
		c.run(t, UnsharedIsFound)
	}
}

// TestReplicasAreToldApart asks n limiters in any order, sharing a store or not.
func TestReplicasAreToldApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quota := int64(rapid.IntRange(1, 10).Draw(t, "quota"))
		n := rapid.IntRange(2, 4).Draw(t, "limiters")
		shared := rapid.Bool().Draw(t, "shared")
		used, calls := make([]int64, n), make([][2]int64, n)
		var total int64
		var entries []evidence.Entry
		for i := range rapid.IntRange(1, 80).Draw(t, "hits") {
			at, asked := rapid.IntRange(0, n-1).Draw(t, "asked"), 0
			if !shared {
				asked = at
			}
			outcome := evidence.Denied
			if used[asked] < quota {
				outcome = evidence.Admitted
				used[asked]++
				calls[at][0]++
				total++
			} else {
				calls[at][1]++
			}
			sent := time.Duration(i) * 10 * ms
			entries = append(entries, entryOf(i, sent, sent+ms, outcome))
		}
		q := question(entries, limitOf(quota, time.Minute))
		accounts(calls...)(&q)
		q.Rules = []string{OneCounter, UnsharedIsFound}
		undeclared := Judge(q, entries)
		q.Declared = weakness.ByDesign()
		one, found := undeclared[1], Judge(q, entries)[2]
		switch over := total > quota; {
		case found.Verdict == reports.Fail:
			t.Fatalf("%s accuses what was declared: %s", UnsharedIsFound, found.Reason)
		case over && (one.Verdict != reports.Fail || one.Component != reports.Limiter || found.Verdict != reports.Pass):
			t.Fatalf("%d of %d hits, and nobody noticed: %s, %s", total, quota, one.Reason, found.Reason)
		case !over && one.Verdict == reports.Fail:
			t.Fatalf("accused: %s", one.Reason)
		case shared && over:
			t.Fatalf("the simulation admits %d of %d", total, quota)
		}
	})
}
