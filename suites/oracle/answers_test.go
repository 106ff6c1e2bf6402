package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestResetKept(t *testing.T) {
	five := []tier.Limit{limitOf(1, 5*sec)}
	hits := []string{"A100+2", "D110+2", "D4000+2", "A6200+2"}
	shared := limitOf(1, 5*sec)
	shared.Counters = nil
	for name, c := range map[string]struct {
		hits   []string
		limits []tier.Limit
		resets []string
		edit   func(*Question)
		want   want
	}{
		"kept":                   {hits, five, []string{"5", "4", "1", "4"}, nil, want{verdict: reports.Pass, reason: "4 answers told"}},
		"longer than it is":      {[]string{"A100+2", "D110+2", "D4000+2", "A5200+2"}, five, []string{"5", "4", "5"}, nil, want{reports.Fail, reports.Limiter, "entry 3, denied, told of an end of the window not before 8.995s, but entry 4 was admitted by 5.202s"}},
		"shorter than it is":     {hits, five, []string{"1", "1"}, nil, want{reports.Fail, reports.Limiter, "entry 1 told of an end of the window by 2.107s, but entry 3 was denied at 4s"}},
		"zero":                   {hits, five, []string{"0"}, nil, want{reports.Fail, reports.Limiter, "but entry 3 was denied"}},
		"used up again":          {[]string{"A100+2", "D110+2", "D4000+2", "A6200+2", "D6210+2"}, five, []string{"5", "4", "1"}, nil, want{verdict: reports.Pass}},
		"nobody came early":      {[]string{"A100+2", "D110+2", "A6300+2"}, five, []string{"5", "4"}, nil, want{reason: "before the end that a denial told of"}},
		"nobody came late":       {[]string{"A100+2", "D110+2", "D4000+2"}, five, []string{"5", "4"}, nil, want{reason: "after the end that a denial told of"}},
		"nothing told":           {hits, five, nil, nil, want{reason: "no answer was kept"}},
		"two limits":             {hits, []tier.Limit{limitOf(1, 5*sec), limitOf(9, 50*sec)}, []string{"5"}, nil, want{reason: "several limits apply"}},
		"not heard":              {hits, five, []string{"5", "4", "5"}, booked(1, 2), want{reason: "may not have heard every hit"}},
		"of everybody's counter": {hits, []tier.Limit{shared}, []string{"5"}, nil, want{reason: "others draw on the same counter"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			for i, reset := range c.resets {
				entries[i].Answer = &evidence.Answer{Header: map[string][]string{"x-ratelimit-reset": {reset}}}
			}
			q := question(entries, c.limits...)
			orNothing(c.edit)(&q)
			c.want.check(t, ruleNamed(t, ResetKept).Judge(q, entries))
		})
	}
}

func TestRetryAfterHonest(t *testing.T) {
	for name, c := range map[string]struct {
		header []string
		kept   bool
		want   want
	}{
		"absent":        {nil, true, want{verdict: reports.Pass, reason: "none of 1 denial has Retry-After"}},
		"honest":        {[]string{"10"}, true, want{verdict: reports.Pass, reason: "1 of 1 denial tell when"}},
		"longer":        {[]string{"60"}, true, want{verdict: reports.Pass}},
		"at once":       {[]string{"0"}, true, want{reports.Fail, reports.Gateway, "entry 3 says Retry-After: 0 where the window lasts"}},
		"a date":        {[]string{"Sun, 22 Nov 2026 21:00:12 GMT"}, true, want{verdict: reports.Pass}},
		"a past date":   {[]string{"Sun, 22 Nov 2026 20:00:12 GMT"}, true, want{reports.Fail, reports.Gateway, "want seconds or a date"}},
		"no number":     {[]string{"soon"}, true, want{reports.Fail, reports.Gateway, `"soon", want seconds or a date`}},
		"twice":         {[]string{"1", "10"}, true, want{reports.Fail, reports.Gateway, "has Retry-After 2 times"}},
		"nothing there": {nil, false, want{reason: "no denial was kept"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, full...)
			if c.kept {
				entries[2].Answer = &evidence.Answer{Header: map[string][]string{}}
				if c.header != nil {
					entries[2].Answer.Header["retry-after"] = c.header
				}
			}
			c.want.check(t, ruleNamed(t, RetryAfterHonest).Judge(question(entries, limitOf(2, 10*sec)), entries))
		})
	}
}

func TestSpoofIgnored(t *testing.T) {
	spoofed := map[string]string{"X-RateLimit-Remaining": "424242"}
	for name, c := range map[string]struct {
		header map[string][]string
		sent   map[string]string
		want   want
	}{
		"not sent back":   {map[string][]string{"X-Ratelimit-Remaining": {"0"}}, spoofed, want{verdict: reports.Pass, reason: "none of 1 answer"}},
		"sent back":       {map[string][]string{"X-Ratelimit-Remaining": {"424242"}}, spoofed, want{reports.Fail, reports.Gateway, `entry 1 has X-RateLimit-Remaining: ["424242"]`}},
		"beside the true": {map[string][]string{"X-Ratelimit-Remaining": {"0", "424242"}}, spoofed, want{reports.Fail, reports.Gateway, "1 of 1 answer"}},
		"nothing sent":    {map[string][]string{}, nil, want{reason: "names no header"}},
		"nothing kept":    {nil, spoofed, want{reason: "no answer was kept"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, full...)
			if c.header != nil {
				entries[0].Answer = &evidence.Answer{Header: c.header}
			}
			q := question(entries, limitOf(2, 10*sec))
			q.Want.Spoofed = c.sent
			c.want.check(t, ruleNamed(t, SpoofIgnored).Judge(q, entries))
		})
	}
}

func TestOneIdentity(t *testing.T) {
	calls := func(alice, bob int64) func(*Question) {
		return func(q *Question) {
			q.Want.Callers = []string{"alice", "bob"}
			q.After.Limiter.Users = map[string]evidence.Calls{"alice": {Authorized: alice}, "bob": {Limited: bob}}
		}
	}
	for _, c := range []bookCase{
		{name: "refused", hits: []string{"R1+1", "R3+1"}, edit: calls(0, 0), want: want{verdict: reports.Pass, reason: "all of 2 hits with two keys were refused"}},
		{name: "the first", hits: []string{"A1+1", "A3+1"}, edit: calls(2, 0), want: want{verdict: reports.Pass, reason: "counted once: 2 on alice, 0 on bob"}},
		{name: "both", hits: []string{"A1+1", "A3+1"}, edit: calls(2, 2), want: want{reports.Fail, reports.Gateway, "counted 4 times: 2 on alice, 2 on bob"}},
		{name: "the second", hits: []string{"A1+1", "A3+1"}, edit: calls(0, 2), want: want{reports.Fail, reports.Authorizer, "key came second"}},
		{name: "refused and counted", hits: []string{"R1+1", "R3+1"}, edit: calls(1, 0), want: want{reports.Fail, reports.Gateway, "0 of 2 hits got past the authorizer and were counted 1 times"}},
		{name: "failed", hits: []string{"F1+1", "A3+1"}, edit: calls(1, 0), want: want{reason: "failed by the gateway"}},
		{name: "lost", hits: []string{"L1+1", "A3+1"}, edit: calls(1, 0), want: want{reason: "lost"}},
		{name: "restarted", hits: []string{"A1+1"}, edit: both(calls(1, 0), restarted), want: want{reason: "processes changed"}},
		{name: "read for other namespaces", hits: []string{"A1+1"}, edit: both(calls(1, 0), func(q *Question) { q.After.Limiter.Scopes = []string{"llm-d/new"} }), want: want{reason: "other namespaces before than after"}},
		{name: "no callers told apart", hits: []string{"A1+1"}, edit: both(calls(1, 0), noUsers), want: want{reason: "tells no callers apart"}},
		{name: "nobody was ever counted", hits: []string{"R1+1", "R3+1"}, edit: both(calls(0, 0), noUsers), want: want{verdict: reports.Pass, reason: "all of 2 hits with two keys were refused"}},
		{name: "not read", hits: []string{"A1+1"}, edit: both(calls(1, 0), func(q *Question) { q.After.Limiter = nil }), want: want{reason: "limiter book was not read"}},
		{name: "one caller", hits: []string{"A1+1"}, want: want{reason: "no two callers"}},
	} {
		c.run(t, OneIdentity)
	}
}
