package oracle

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// timed are the authorizer's medians before many keys, with them and after them.
func timed(before, with, after time.Duration) []evidence.AnswerTimes {
	return []evidence.AnswerTimes{{Calls: 41, Median: before}, {Keys: 50, Calls: 41, Median: with}, {Calls: 41, Median: after}}
}

func TestKeysCostNothing(t *testing.T) {
	with := func(edit func([]evidence.AnswerTimes) []evidence.AnswerTimes) []evidence.AnswerTimes {
		return edit(timed(ms, 200*ms, ms))
	}
	for name, c := range map[string]struct {
		times []evidence.AnswerTimes
		want  want
	}{
		"as soon": {timed(ms, ms, ms), want{verdict: reports.Pass, reason: "the authorizer answered in 1ms with 50 keys more, and in 1ms without them"}},
		"dear keys": {timed(120*ms, 1121*ms, 122*ms), want{
			reports.Fail, reports.Authorizer, "asked directly with 50 keys more, half of 41 calls took 1.121s or longer; without them it takes 122ms at most",
		}},
		"three times as long, and no gateway minds": {timed(ms, 40*ms, ms), want{verdict: reports.Pass, reason: "40ms with 50 keys more"}},
		"slower by chance, before and after":        {timed(100*ms, 180*ms, 90*ms), want{verdict: reports.Pass, reason: "180ms"}},
		"slow from then on, keys or not":            {timed(ms, 200*ms, 200*ms), want{verdict: reports.Pass, reason: "200ms"}},
		"not timed":                                 {nil, want{reason: "not timed before many keys, with them, and after them"}},
		"not timed after": {with(func(t []evidence.AnswerTimes) []evidence.AnswerTimes { return t[:2] }), want{
			reason: "not timed before many keys",
		}},
		"calls failed": {with(func(t []evidence.AnswerTimes) []evidence.AnswerTimes { t[1].Failed = 1; return t }), want{
			reason: "with 50 keys, 1 of 41 calls to the authorizer failed",
		}},
		"few calls": {with(func(t []evidence.AnswerTimes) []evidence.AnswerTimes { t[1].Calls = 4; return t }), want{reason: "0 of 4 calls"}},
	} {
		t.Run(name, func(t *testing.T) {
			q := question(nil)
			q.AnswerTimes = c.times
			c.want.check(t, ruleNamed(t, KeysCostNothing).Judge(q, nil))
		})
	}
}

// An authorizer to which keys make no difference is not accused, however slow it is
// and however it jitters.
func TestKeysThatCostNothingAreNeverAccused(t *testing.T) {
	rule := ruleNamed(t, KeysCostNothing)
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		base := time.Duration(rapid.IntRange(0, 300).Draw(t, "base")) * ms
		jitter := time.Duration(rapid.IntRange(1, 60).Draw(t, "jitter")) * ms
		median := func() time.Duration {
			took := make([]time.Duration, rapid.IntRange(fewestCalls, 41).Draw(t, "calls"))
			for i := range took {
				took[i] = base + time.Duration(rng.Int64N(int64(jitter)))
			}
			slices.Sort(took)
			return took[(len(took)-1)/2]
		}
		q := question(nil)
		q.AnswerTimes = timed(median(), median(), median())
		if f := rule.Judge(q, nil); f.Verdict != reports.Pass {
			t.Fatalf("%s: %s", f.Verdict, f.Reason)
		}
	})
}
