package oracle

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestWindowTold(t *testing.T) {
	limit := named("requests", 5, 120*sec)
	told := func(seconds uint64) evidence.LiveCounter {
		c := live(limit, 5, 3)
		c.ExpiresIn = seconds
		return c
	}
	for name, c := range map[string]struct {
		counter evidence.LiveCounter
		hits    []string
		edit    func(*Question)
		want    want
	}{
		"as it is":           {counter: told(118), want: want{verdict: reports.Pass}},
		"not yet cut":        {counter: told(120), want: want{verdict: reports.Pass}},
		"a minute at most":   {counter: told(59), want: want{reports.Fail, reports.Limiter, "ends in 59 s, when it has between"}},
		"a tenth short":      {counter: told(107), want: want{reports.Fail, reports.Limiter, "ends in 107 s"}},
		"a tenth long":       {counter: told(131), want: want{reports.Fail, reports.Limiter, "ends in 131 s"}},
		"as long later":      {counter: told(116), hits: []string{"A84+1", "A86+1", "D4000+1"}, edit: readAt(5 * sec), want: want{verdict: reports.Pass}},
		"begun anew":         {counter: told(119), hits: []string{"A84+1", "A86+1", "D4000+1"}, edit: readAt(5 * sec), want: want{reports.Fail, reports.Limiter, "ends in 119 s, when it has between"}},
		"without an end":     {counter: told(^uint64(0)), want: want{reports.Fail, reports.Limiter, "ends in 18446744073709551615 s"}},
		"another caller's":   {counter: someoneElses(told(59)), want: want{reason: "shows no window of the subject's"}},
		"of everybody":       {counter: told(59), edit: func(q *Question) { q.Subject.Limits[0].Counters = nil }, want: want{reason: "shows no window"}},
		"not read":           {counter: told(118), edit: func(q *Question) { q.Counters = nil }, want: want{reason: "was not read"}},
		"of one used before": {counter: told(59), edit: func(q *Question) { q.Subject.Fresh = false }, want: want{reason: "may have been live before"}},
		"nobody admitted":    {counter: told(59), hits: []string{"D84+1"}, want: want{reason: "no hit was admitted"}},
		"denied before":      {counter: told(59), hits: []string{"D80+1", "A84+1"}, want: want{reason: "may have begun the window"}},
		"lost before":        {counter: told(59), hits: []string{"L80+1", "A84+1"}, want: want{reason: "may have begun the window"}},
	} {
		t.Run(name, func(t *testing.T) {
			hits := c.hits
			if hits == nil {
				hits = []string{"A84+1", "A86+1"}
			}
			entries := ledger(t, hits...)
			q := question(entries, limit)
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: []evidence.LiveCounter{c.counter}}
			if c.edit != nil {
				c.edit(&q)
			}
			c.want.check(t, ruleNamed(t, WindowTold).Judge(q, entries))
		})
	}
}

func readAt(after time.Duration) func(*Question) {
	return func(q *Question) { q.Counters.At = began.Add(after) }
}

// Whenever a correct limiter decides and is read, and however it rounds, it is not
// accused; one whose windows are four seconds off or more always is.
func TestToldWindowsOfACorrectLimiterAreNeverAccused(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		span := func(most time.Duration, name string) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(r, name))
		}
		window := time.Duration(rapid.IntRange(10, 86400).Draw(r, "window")) * sec
		limit := named("requests", 5, window)
		sent := span(sec, "sent")
		answered := sent + ms + span(500*ms, "latency")
		opened := sent + span(answered-sent, "decided after")
		asked := answered + span(sec, "asked after")
		read := asked + span(200*ms, "read for")
		off := time.Duration(rapid.SampledFrom([]int64{0, 0, -4, 4, -60, 60}).Draw(r, "off")) * sec
		moment := asked + span(read-asked, "looked after")
		rest := max(0, opened+window+off-moment)
		seconds := uint64(max(0, rest-time.Microsecond) / sec)
		if rapid.Bool().Draw(r, "rounds up") {
			seconds = uint64((rest + sec - 1) / sec)
		}
		entries := ledger(t, fmt.Sprintf("A%d+%d", sent/ms, (answered-sent)/ms+1))
		entries[0].Sent, entries[0].Due, entries[0].Received = sent, sent, answered
		c := live(limit, 5, 4)
		c.ExpiresIn = seconds
		q := question(entries, limit)
		q.Counters = &evidence.CounterBook{At: began.Add(read), Counters: []evidence.LiveCounter{c}}
		f := ruleNamed(t, WindowTold).Judge(q, entries)
		want := reports.Pass
		if off != 0 {
			want = reports.Fail
		}
		if f.Verdict != want {
			r.Fatalf("%s: %s, want %s: window %s, off by %s, told %d s", f.Verdict, f.Reason, want, window, off, seconds)
		}
	})
}
