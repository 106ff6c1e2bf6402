package oracle

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// killed is a limiter that was replaced between 100 and 150 ms by another, with
// so many calls that failed.
func killed(errors int64) func(*Question) {
	return func(q *Question) {
		q.Want.Change = &Change{What: "the limiter was deleted", Asked: 100 * ms, Done: 150 * ms, Budget: 50 * ms, Owner: reports.Limiter}
		q.After.Limiter.Instances = []string{"limiter@2"}
		q.After.Gateway.Errors = errors
	}
}

func TestComesBack(t *testing.T) {
	gone := []string{"A10+1", "A12+1", "D14+1", "A110+1", "A120+1", "A130+1", "A160+1", "A162+1", "D170+1"}
	for _, c := range []bookCase{
		{
			name: "a gap and a fresh quota", hits: gone, edit: both(killed(3), declaring(weakness.FreshCounters, weakness.FailOpen)),
			want: want{verdict: reports.Pass, reason: "the limiter was deleted, ready again after 50ms: 5 hits were admitted in 53ms, of a fresh quota of 2 or limited by nobody; the gateway's errors +3; as declared: fresh-counters, fail-open"},
		},
		{name: "undeclared", hits: gone, edit: killed(3), want: want{reports.Fail, reports.Limiter, "5 hits were admitted in 53ms"}},
		{name: "a gap undeclared", hits: gone, edit: both(killed(3), declaring(weakness.FreshCounters)), want: want{reports.Fail, reports.Gateway, "5 hits were admitted in 53ms"}},
		{name: "a gap and no fresh quota", hits: []string{"A10+1", "A12+1", "D14+1", "A110+1", "A120+1", "D170+1"}, edit: both(killed(2), declaring(weakness.FailOpen)), want: want{verdict: reports.Pass, reason: "as declared: fail-open"}},
		{name: "an undeclared gap", hits: []string{"A10+1", "A12+1", "D14+1", "A110+1", "A120+1", "D170+1"}, edit: both(killed(2), declaring(weakness.FreshCounters)), want: want{reports.Fail, reports.Gateway, "the gateway's errors +2"}},
		{name: "either explains it", hits: []string{"A10+1", "A12+1", "D14+1", "A110+1", "D170+1"}, edit: both(killed(0), crowded, declaring(weakness.FailOpen)), want: want{verdict: reports.Pass, reason: "as declared: fail-open"}},
		{name: "nobody noticed", hits: []string{"A10+1", "A12+1", "D110+1", "D170+1"}, edit: killed(0), want: want{verdict: reports.Pass, reason: "the counter outlived it"}},
		{name: "it does not come back", hits: []string{"A10+1", "A12+1", "A210+1", "A220+1", "A230+1", "A240+1", "A250+1"}, edit: killed(5), want: want{reports.Fail, reports.Unattributed, "more than 50ms after it was ready again, 5 hits were still admitted"}},
		{name: "more than a fresh quota", hits: append([]string{"A10+1", "A12+1"}, "A110+1", "A120+1", "A130+1", "A140+1", "A150+1", "D170+1"), edit: killed(0), want: want{reports.Fail, reports.Limiter, "5 hits were admitted after it; fresh quotas of 4 in all and the gateway's errors +0 do not explain it"}},
		{name: "turned away", hits: []string{"A10+1", "A12+1", "F110+1", "F1000+1", "F2200+1", "D2300+1"}, edit: killed(3), want: want{reports.Fail, reports.Gateway, "no hit was served for 2.091s, and 3 hits were failed by the gateway; entry 3 was answered 503"}},
		{name: "failed now and then", hits: []string{"A10+1", "A12+1", "F110+1", "D1000+1", "F2200+1", "D2300+1"}, edit: killed(3), want: want{reason: "2 hits were failed by the gateway meanwhile"}},
		{name: "lost", hits: []string{"A10+1", "A12+1", "L110+1", "D170+1"}, edit: killed(0), want: want{reason: "1 hit was lost"}},
		{name: "not seen to limit", hits: []string{"A10+1", "A12+1", "A110+1"}, edit: killed(1), want: want{reason: "that it limits again was not seen"}},
		{name: "not used up", hits: []string{"A10+1", "D170+1"}, edit: killed(0), want: want{reason: "only 1 of 2 hits were admitted before"}},
		{name: "the same process", hits: gone, edit: both(killed(3), func(q *Question) { q.After.Limiter.Instances = []string{"limiter@1"} }), want: want{reason: "the same processes answer as before"}},
		{name: "no change", want: want{reason: "names no change"}},
	} {
		c.run(t, ComesBack)
	}
}

// TestALimiterThatComesBackIsNeverAccused takes a correct limiter away for a
// while: nobody is heard meanwhile, and its successor counts from nothing.
func TestALimiterThatComesBackIsNeverAccused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := limitOf(int64(rapid.IntRange(1, 8).Draw(t, "quota")), time.Duration(rapid.IntRange(1, 20).Draw(t, "window"))*sec)
		asked := time.Duration(rapid.IntRange(300, 1500).Draw(t, "asked")) * ms
		ready := asked + time.Duration(rapid.IntRange(10, 2000).Draw(t, "takes"))*ms
		heard := ready + time.Duration(rapid.IntRange(-10, 400).Draw(t, "rejoins"))*ms
		var entries []evidence.Entry
		var used, errors int64
		end, now, fresh := longAgo, time.Duration(0), false
		for i := range rapid.IntRange(10, 120).Draw(t, "hits") {
			now += time.Duration(rapid.IntRange(1, 60).Draw(t, "pause")) * ms
			lasts := time.Duration(rapid.IntRange(1, 30).Draw(t, "latency")) * ms
			decided := now + time.Duration(rapid.Int64Range(0, int64(lasts)).Draw(t, "decided"))
			outcome := evidence.Admitted
			switch {
			case decided > asked && decided < heard:
				errors++
			default:
				if decided >= heard && !fresh || decided >= end {
					fresh, used, end = fresh || decided >= heard, 0, decided+limit.Window
				}
				if used >= limit.Quota {
					outcome = evidence.Denied
				} else {
					used++
				}
			}
			entries = append(entries, entryOf(i, now, now+lasts, outcome))
			now += lasts
		}
		q := question(entries, limit)
		killed(errors)(&q)
		q.Want.Change.Asked, q.Want.Change.Done, q.Want.Change.Budget = asked, ready, 500*ms
		q.Rules = []string{ComesBack}
		q.Declared = weakness.ByDesign()
		if f := Judge(q, entries)[1]; f.Verdict == reports.Fail {
			t.Fatalf("accused: %s", f.Reason)
		}
	})
}

func TestScalingUnseen(t *testing.T) {
	scaled := func(q *Question) {
		q.Want.Change = &Change{What: "the gateway was scaled from 1 to 3", Asked: 100 * ms, Done: 150 * ms, Owner: reports.Gateway}
	}
	for _, c := range []bookCase{
		{name: "unseen", hits: []string{"A10+1", "A110+1", "D1160+1"}, want: want{verdict: reports.Pass, reason: "in 50ms: 1 hit was under way meanwhile, none failed or lost"}},
		{name: "not ready", hits: []string{"A10+1", "F110+1", "D160+1"}, want: want{reports.Fail, reports.Gateway, "the gateway was scaled from 1 to 3: 1 of 3 hits were failed; entry 2 was answered 503"}},
		{name: "lost", hits: []string{"A10+1", "L110+1", "D160+1"}, want: want{reason: "1 of 3 hits were lost"}},
		{name: "nothing meanwhile", hits: []string{"A10+1", "D1160+1"}, want: want{reason: "no hit was under way meanwhile"}},
	} {
		c.edit = scaled
		c.run(t, ScalingUnseen)
	}
	bookCase{name: "no change", want: want{reason: "names no change"}}.run(t, ScalingUnseen)
}
