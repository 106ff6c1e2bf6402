package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// telling gives each entry headers as "limit|remaining|reset"; "" keeps no
// answer, "-" one without headers.
func telling(entries []evidence.Entry, texts ...string) {
	for i, text := range texts {
		if text == "" {
			continue
		}
		entries[i].Answer = &evidence.Answer{Header: map[string][]string{}}
		if text == "-" {
			continue
		}
		var limit, remaining, reset string
		for at, part := range splitBars(text) {
			*[]*string{&limit, &remaining, &reset}[at] = part
		}
		entries[i].Answer.Header = map[string][]string{
			"X-Ratelimit-Limit": {limit}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset},
		}
	}
}

func splitBars(text string) (parts [3]string) {
	at := 0
	for _, r := range text {
		if r == '|' {
			at++
			continue
		}
		parts[at] += string(r)
	}
	return parts
}

// beside is a limit of the caller's own and one that is everybody's.
func beside(quota int64) []tier.Limit {
	everybody := limitOf(quota, 60*sec)
	everybody.Counters = nil
	return []tier.Limit{limitOf(2, 10*sec), everybody}
}

// TestALimitIsOutOfReach takes a limit of 100 hits of everybody's, of which 1 is to
// be left.
func TestALimitIsOutOfReach(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Question)
		want bool
	}{
		"few calls": {func(*Question) {}, true},
		"many calls of anybody's": {func(q *Question) {
			q.After.Limiter.Total.Authorized = 97
		}, false},
		"the limiter began anew": {restarted, false},
		"a stack that was there": {func(q *Question) { q.Shared = true }, false},
		"nobody told":            {func(q *Question) { q.After.Limiter = nil }, false},
	} {
		entries := ledger(t, full...)
		q := question(entries, beside(100)...)
		c.edit(&q)
		if got := newTrial(q, entries).outOfReach(q.Subject.Limits[1], 1); got != c.want {
			t.Errorf("%s: out of reach %v, want %v", name, got, c.want)
		}
	}
	entries := ledger(t, full...)
	q := question(entries, limitOf(100, 10*sec))
	if newTrial(q, entries).outOfReach(q.Subject.Limits[0], 1) {
		t.Error("a limit of the caller's own is out of reach")
	}
}

func TestHeadersTell(t *testing.T) {
	two := []tier.Limit{limitOf(2, 10*sec)}
	both := []tier.Limit{limitOf(2, 10*sec), limitOf(7, 30*sec)}
	hits := []string{"A84+1", "A86+1", "D90+1", "A10400+1"}
	const limit = `2, 2;w=10;name="requests"`
	for name, c := range map[string]struct {
		rule   string
		limits []tier.Limit
		told   []string
		want   want
	}{
		"what is left": {RemainingTold, two, []string{limit + "|1|9", limit + "|0|9", limit + "|0|9", limit + "|1|9"}, want{verdict: reports.Pass}},
		"of two limits, the scarcer": {
			RemainingTold, both,
			[]string{`2, 2;w=10, 7;w=30|1|9`, `2, 2;w=10, 7;w=30|0|9`, `2, 2;w=10, 7;w=30|0|9`, `2, 2;w=10, 7;w=30|1|9`},
			want{verdict: reports.Pass},
		},
		"one too many left":   {RemainingTold, two, []string{limit + "|2|9"}, want{reports.Fail, reports.Limiter, "entry 1 says X-RateLimit-Remaining: 2 where 1 are left"}},
		"left after a denial": {RemainingTold, two, []string{"", "", limit + "|1|9"}, want{reports.Fail, reports.Limiter, "1 where 0 are left"}},
		"no number":           {RemainingTold, two, []string{limit + "|some|9"}, want{reports.Fail, reports.Limiter, "want one number"}},
		"no headers":          {RemainingTold, two, []string{"-"}, want{reports.Fail, reports.Limiter, "has no header X-RateLimit-Limit"}},
		"another limit":       {RemainingTold, two, []string{`10, 10;w=10|1|9`}, want{reports.Fail, reports.Limiter, `want the quota of 2 hits / 10s`}},
		"another window":      {RemainingTold, two, []string{`2, 2;w=60|1|9`}, want{reports.Fail, reports.Limiter, `want ["2;w=10"]`}},
		"a limit left out":    {RemainingTold, both, []string{`2, 2;w=10|1|9`}, want{reports.Fail, reports.Limiter, "lists"}},
		"no answer kept":      {RemainingTold, two, nil, want{reason: "no answer was kept"}},

		"the rest of the window":            {ResetTold, two, []string{limit + "|1|9", limit + "|0|9", limit + "|0|9", limit + "|1|9"}, want{verdict: reports.Pass}},
		"a second too much or little":       {ResetTold, two, []string{limit + "|1|11", limit + "|0|8"}, want{verdict: reports.Pass}},
		"zero on the first hit of a window": {ResetTold, two, []string{limit + "|1|9", "", "", limit + "|1|0"}, want{reports.Fail, reports.Limiter, "entry 4 says X-RateLimit-Reset: 0 on the first hit"}},
		"a wrong rest":                      {ResetTold, two, []string{"", limit + "|0|4"}, want{reports.Fail, reports.Limiter, "entry 2 says X-RateLimit-Reset: 4 where the window lasts"}},
		"a window as long as the tolerance": {ResetTold, []tier.Limit{limitOf(2, sec)}, []string{`2, 2;w=1|1|0`}, want{reason: "windows are too short for a header of whole seconds"}},

		"beside a ceiling":                  {RemainingTold, beside(1_000_000), []string{`2, 2;w=10, 1000000;w=60|1|9`, "", `2, 2;w=10, 1000000;w=60|0|9`}, want{verdict: reports.Pass}},
		"one too many left under a ceiling": {RemainingTold, beside(1_000_000), []string{`2, 2;w=10, 1000000;w=60|2|9`}, want{reports.Fail, reports.Limiter, "2 where 1 are left"}},
		"a ceiling left out":                {RemainingTold, beside(1_000_000), []string{limit + "|1|9"}, want{reports.Fail, reports.Limiter, "lists"}},
		"the rest under a ceiling":          {ResetTold, beside(1_000_000), []string{`2, 2;w=10, 1000000;w=60|1|9`}, want{verdict: reports.Pass}},
		"beside a limit that others use up": {RemainingTold, beside(7), []string{`2, 2;w=10, 7;w=60|1|9`}, want{reason: "1 answer kept, but others draw on the same counter"}},
		"everybody's limit alone":           {RemainingTold, beside(1_000_000)[1:], []string{`1000000, 1000000;w=60|9|9`}, want{reason: "others draw on the same counter"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, hits...)
			telling(entries, c.told...)
			c.want.check(t, ruleNamed(t, c.rule).Judge(question(entries, c.limits...), entries))
		})
	}
}
