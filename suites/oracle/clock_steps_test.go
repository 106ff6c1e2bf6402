package oracle

import (
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
)

func TestClockSteps(t *testing.T) {
	by := func(d time.Duration) func(*Question) {
		return func(q *Question) {
			q.Want.Step = &Step{By: d, Asked: 100 * ms, Done: 110 * ms}
			q.Declared = []string{weakness.ClockSteps}
		}
	}
	limiter := func(reason string) want { return want{reports.Fail, reports.Limiter, reason} }
	fresh := hits(full, []string{"A120+1", "A125+1", "D130+1"})
	for _, c := range []bookCase{
		{name: "forward, a fresh quota", hits: fresh, edit: by(10 * sec), want: want{verdict: reports.Pass, reason: "2 hits were admitted after it, of a fresh quota of 2; as declared: clock-steps"}},
		{name: "forward, not declared", hits: fresh, edit: both(by(10*sec), func(q *Question) { q.Declared = nil }), want: limiter("of a fresh quota of 2")},
		{name: "forward, two quotas", hits: hits(full, []string{"A120+1", "A125+1", "A130+1"}), edit: by(10 * sec), want: limiter("3 hits were admitted after it; at most 2 can be")},
		{name: "forward, within the window", hits: fresh, edit: by(5 * sec), want: limiter("at most 0 can be")},
		{name: "forward, unmoved", hits: hits(full, []string{"D120+1"}), edit: by(10 * sec), want: want{verdict: reports.Pass, reason: "all of 1 hit was sent after it denied"}},
		{name: "back, still spent", hits: hits(full, []string{"D120+1", "D125+1"}), edit: by(-10 * sec), want: want{verdict: reports.Pass}},
		{name: "back, freed", hits: hits(full, []string{"A120+1", "D125+1"}), edit: by(-10 * sec), want: limiter("1 hit was admitted after it; at most 0 can be")},
		{name: "back, perhaps unheard", hits: hits(full, []string{"A120+1", "D125+1"}), edit: both(by(-10*sec), gatewayErrors(1)), want: want{reason: "or was not heard"}},
		{name: "not spent before", hits: []string{"A84+2", "D120+1"}, edit: by(10 * sec), want: want{reason: "no hit was denied before it"}},
		{name: "nothing after", edit: by(10 * sec), want: want{reason: "no hit was denied after it"}},
		{name: "the window ended", hits: hits(full, []string{"A10090+1"}), edit: by(10 * sec), want: want{reason: "the window may have ended by itself"}},
		{name: "lost", hits: hits(full, []string{"L120+1"}), edit: by(10 * sec), want: want{reason: "1 hit had no answer"}},
		{name: "stale", edit: both(by(10*sec), stale), want: want{reason: "live before"}},
		{name: "no step", want: want{reason: "names no step"}},
	} {
		c.run(t, ClockSteps)
	}
}
