package oracle

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// fired gives each entry the attack of its place in names, and the question
// those attacks, none of which went one at a time.
func fired(q *Question, entries []evidence.Entry, names ...string) {
	planned := map[string]int{}
	q.Attacks = nil
	for i, name := range names {
		entries[i].Attack, entries[i].Seq = name, uint64(planned[name])
		if planned[name] == 0 {
			q.Attacks = append(q.Attacks, Attack{Name: name})
		}
		planned[name]++
	}
	for i := range q.Attacks {
		q.Attacks[i].Planned = planned[q.Attacks[i].Name]
	}
}

func TestOvershoot(t *testing.T) {
	type points = []reports.Point
	for name, c := range map[string]struct {
		hits  []string
		bound int64
		want  want
		curve points
	}{
		"none": {
			hits: []string{"A1+9", "A1+9", "D1+9", "A20+9", "A20+9", "D20+9"},
			want: want{verdict: reports.Pass, reason: "hits beyond the quota over callers side by side: 0 at 2, 0 at 8, at most 0 declared"}, curve: points{{At: 2}, {At: 8}},
		},
		"one": {
			hits: []string{"A1+9", "A1+9", "D1+9", "A20+9", "A20+9", "A20+9"},
			want: want{reports.Fail, reports.Limiter, "0 at 2, 1 at 8; window 1 of premium/bob, opened at 20ms, admitted 3 of 2 hits"}, curve: points{{At: 2}, {At: 8, Value: 1}},
		},
		"one, as declared": {
			hits: []string{"A1+9", "A1+9", "D1+9", "A20+9", "A20+9", "A20+9"}, bound: 1,
			want: want{verdict: reports.Pass, reason: "1 at 8, at most 1 declared"}, curve: points{{At: 2}, {At: 8, Value: 1}},
		},
		"not put to the test": {
			hits: []string{"A1+9", "A1+9", "D1+9", "A20+9", "A20+9", "R20+9"},
			want: want{reason: "with 8 callers side by side: no more than the quota"}, curve: points{{At: 2}, {At: 8}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			for i := range entries[3:] {
				entries[3+i].Identity = "premium/bob"
			}
			q := question(entries, limitOf(2, 10*sec))
			fired(&q, entries, "few", "few", "few", "many", "many", "many")
			q.Attacks[0].Callers, q.Attacks[1].Callers = 2, 8
			q.Subject.Identity, q.Subject.Name, q.Want.Bound = "", "", c.bound
			users := map[string]evidence.Calls{}
			for i := range entries {
				if isPassed(&entries[i]) {
					name := entries[i].Identity[len("premium/"):]
					calls := users[name]
					calls.Authorized++
					users[name] = calls
				}
			}
			q.After.Limiter.Users = users
			f := ruleNamed(t, Overshoot).Judge(q, entries)
			c.want.check(t, f)
			if f.Curve == nil {
				t.Fatal("no curve")
			}
			if diff := cmp.Diff(c.curve, f.Curve.Points); diff != "" {
				t.Error(diff)
			}
		})
	}
	bookCase{name: "one number of callers", hits: []string{"A1+9", "A1+9", "D1+9"}, want: want{reason: "makes no curve"}}.run(t, Overshoot)
}

func TestCountedAtStart(t *testing.T) {
	slow := func(q *Question) { q.Want.Slow = "slow" }
	for name, c := range map[string]struct {
		hits []string
		edit func(*Question)
		want want
	}{
		"counted when it came":     {hits: []string{"A1+900", "A100+5", "D200+5"}, edit: slow, want: want{verdict: reports.Pass, reason: "entry 3 was denied after 1 of 2 admissions beside the slow one"}},
		"counted when it ended":    {hits: []string{"A1+900", "A100+5", "A200+5", "D300+5"}, edit: slow, want: want{reports.Fail, reports.Limiter, "admitted 3 of 2 hits"}},
		"denied at its end":        {hits: []string{"D1+900", "A100+5", "A200+5", "D300+5"}, edit: slow, want: want{reason: "the slow hit was not admitted"}},
		"over before the others":   {hits: []string{"A1+50", "A100+5", "D200+5"}, edit: slow, want: want{reason: "no hit was denied while the slow one was under way"}},
		"nobody denied":            {hits: []string{"A1+900", "A100+5"}, edit: slow, want: want{reason: "no hit was denied while"}},
		"an answer missing beside": {hits: []string{"A1+900", "A100+5", "L150+5", "D200+5"}, edit: both(slow, booked(2, 1)), want: want{reason: "each after a whole quota of others"}},
		"of one used before":       {hits: []string{"A1+900", "A100+5", "D200+5"}, edit: both(slow, func(q *Question) { q.Subject.Fresh = false }), want: want{reason: "may have been live before"}},
		"no slow hit":              {hits: []string{"A1+900", "A100+5", "D200+5"}, want: want{reason: "names no slow hit"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := question(entries, limitOf(2, 10*sec))
			fired(&q, entries, append([]string{"slow"}, repeat("others", len(entries)-1)...)...)
			if c.edit != nil {
				c.edit(&q)
			}
			c.want.check(t, ruleNamed(t, CountedAtStart).Judge(q, entries))
		})
	}
}

func repeat(text string, times int) (texts []string) {
	for range times {
		texts = append(texts, text)
	}
	return texts
}

func TestAbortsCounted(t *testing.T) {
	served := func(ids ...string) func(*Question) {
		return func(q *Question) {
			for _, id := range ids {
				q.After.Backend.Hits[id]++
			}
		}
	}
	for _, c := range []bookCase{
		{name: "nothing reached the model", hits: []string{"A1+5", "L2+1", "A3+5", "D5+5"}, want: want{verdict: reports.Pass, reason: "2 admitted and 0 more served of 1 hit was given up"}},
		{name: "counted and served", hits: []string{"A1+5", "L2+1", "D5+5"}, edit: both(served("hit-1"), booked(2, 1)), want: want{verdict: reports.Pass, reason: "1 admitted and 1 more served"}},
		{name: "served and not counted", hits: []string{"A1+5", "L2+1", "A3+5", "D5+5"}, edit: served("hit-1"), want: want{reports.Fail, reports.Gateway, "the model served 3 hits under a quota of 2, 1 of them for callers who had left; the limiter's authorized_calls +2 for 3 served"}},
		{name: "too many counted", hits: []string{"A1+5", "L2+1", "A3+5", "D5+5"}, edit: both(served("hit-1"), booked(3, 1)), want: want{reports.Fail, reports.Limiter, "the limiter's authorized_calls +3"}},
		{name: "denied too early", hits: []string{"L2+1", "D5+5"}, edit: booked(0, 1), want: want{reports.Fail, reports.Limiter, "1 hit was denied when at most 1 of 2 can have been counted"}},
		{name: "denied by a limit of everybody", hits: []string{"L2+1", "D5+5"}, edit: both(booked(0, 1), func(q *Question) {
			everybody := limitOf(9, 10*sec)
			everybody.Counters = nil
			q.Subject.Limits = append(q.Subject.Limits, everybody)
		}), want: want{verdict: reports.Pass}},
		{name: "nobody gave up", hits: []string{"A1+5", "A3+5", "D5+5"}, want: want{reason: "no hit was given up"}},
		{name: "nobody denied", hits: []string{"A1+5", "L2+1"}, want: want{reason: "none was denied"}},
		{name: "no journal", hits: []string{"A1+5", "L2+1", "D5+5"}, edit: func(q *Question) { q.After.Backend.Hits = nil }, want: want{reason: "keeps no journal"}},
		{name: "backend not read", hits: []string{"A1+5", "L2+1", "D5+5"}, edit: func(q *Question) { q.After.Backend = nil }, want: want{reason: "backend book was not read"}},
		{name: "over a window's end", hits: []string{"A1+5", "L2+1", "D11000+5"}, want: want{reason: "took longer than a window"}},
		{name: "of one used before", hits: []string{"A1+5", "L2+1", "D5+5"}, edit: func(q *Question) { q.Subject.Fresh = false }, want: want{reason: "may have been live before"}},
	} {
		c.edit = both(orNothing(c.edit), func(q *Question) { q.Attacks[0].OneAtATime = false })
		c.run(t, AbortsCounted)
	}
}

func orNothing(edit func(*Question)) func(*Question) {
	if edit == nil {
		return func(*Question) {}
	}
	return edit
}
