package oracle

import (
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// windowCase judges one rule on hits of alice; limits are 2 hits / 10s unless
// said.
type windowCase struct {
	name   string
	hits   []string
	limits []tier.Limit
	edit   func(*Question)
	want   want
}

func (c windowCase) run(t *testing.T, rule string) {
	t.Run(c.name, func(t *testing.T) {
		limits := c.limits
		if limits == nil {
			limits = []tier.Limit{limitOf(2, 10*sec)}
		}
		entries := ledger(t, c.hits...)
		q := question(entries, limits...)
		if c.edit != nil {
			c.edit(&q)
		}
		c.want.check(t, ruleNamed(t, rule).Judge(q, entries))
	})
}

func hits(lists ...[]string) (all []string) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// full are two hits admitted and one denied at once.
var full = []string{"A84+2", "A90+2", "D95+1"}

func stale(q *Question)      { q.Subject.Fresh = false }
func overlapped(q *Question) { q.Attacks[0].OneAtATime = false }
func tokensToo(q *Question) {
	q.Subject.Limits = append(q.Subject.Limits, tier.Limit{Name: "tokens", Quota: 100, Unit: tier.Tokens, Window: time.Minute})
}

func unheardOne(q *Question) {
	q.After.Gateway.Errors++
	q.After.Limiter.Users["alice"] = minus(q.After.Limiter.Users["alice"], evidence.Calls{Authorized: 1, Hits: 1})
}

func TestNoOverrun(t *testing.T) {
	fail := func(reason string) want { return want{reports.Fail, reports.Limiter, reason} }
	for _, c := range []windowCase{
		{name: "quota then denials", hits: full, want: want{verdict: reports.Pass}},
		{
			name: "one too many", hits: []string{"A84+2", "A90+2", "A95+2"},
			want: fail("window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3)"),
		},
		{name: "one too many just before the end", hits: hits(full, []string{"A10070+1"}), want: fail("window 1, opened at 84ms, admitted 3 of 2 hits")},
		{name: "next window", hits: hits(full, []string{"A10100+1", "A10102+1", "D10104+1"}), want: want{verdict: reports.Pass}},
		{name: "second window overrun", hits: hits(full, []string{"A12000+1", "A12002+1", "A12004+1"}), want: fail("window 2, opened at 12s, admitted 3 of 2")},
		{name: "backend failures were admitted", hits: []string{"B84+2", "A90+2", "A95+2"}, want: fail("admitted 3 of 2")},
		{name: "quota of 0", hits: []string{"D1+1", "A5+1"}, limits: []tier.Limit{limitOf(0, 10*sec)}, want: fail("a quota of 0 admitted 1 hit, at 5ms")},
		{name: "quota of 0 kept", hits: []string{"D1+1", "D5+1"}, limits: []tier.Limit{limitOf(0, 10*sec)}, want: want{verdict: reports.Pass}},
		{
			name: "quota of 0 and no answer", hits: []string{"L1+1"}, limits: []tier.Limit{limitOf(0, 10*sec)},
			edit: func(q *Question) { q.After.Gateway = nil }, want: want{reason: "1 hit without an answer may have been admitted under a quota of 0"},
		},
		{name: "quota of 0 untried", hits: []string{"R1+1"}, limits: []tier.Limit{limitOf(0, 10*sec)}, want: want{reason: "no window was put to the test"}},
		{
			name: "a lost hit may have taken the place of an unheard one", hits: []string{"A84+2", "A90+2", "L92+1", "D95+1"},
			edit: func(q *Question) { q.After.Gateway.Errors = 1 }, want: want{reason: "1 hit without an answer may have been admitted too"},
		},
		{name: "too few hits", hits: []string{"A84+2", "A90+2"}, want: want{reason: "no window was put to the test"}},
		{
			name: "a lost hit may be the third", hits: []string{"A84+2", "A90+2", "L92+1", "D95+1"},
			edit: func(q *Question) { q.After.Limiter = nil }, want: want{reason: "1 hit without an answer may have been admitted too"},
		},
		{name: "the limiter says a lost hit was not", hits: []string{"A84+2", "A90+2", "L92+1", "D95+1"}, want: want{verdict: reports.Pass}},
		{name: "live counter before", hits: full, edit: stale, want: want{reason: "may have been live before"}},
		{name: "too many whatever was before", hits: hits(full, []string{"A100+1", "A101+1", "A102+1", "A103+1"}), edit: stale, want: fail("window 1")},
		{name: "later window of a live counter", hits: hits(full, []string{"A30000+1", "A30002+1", "A30004+1"}), edit: stale, want: fail("admitted 3 of 2")},
		{name: "expiry race", hits: hits(full, []string{"A10082+5", "A10200+1", "A10210+1", "D10220+1"}), want: want{reason: "expiry race: window 2"}},
		{name: "more than the expiry race", hits: hits(full, []string{"A10082+5", "A10200+1", "A10210+1", "A10220+1"}), want: fail("window 2, opened at 10.082s, admitted 3 of 2")},
		{name: "slow hit over the end", hits: hits(full, []string{"A8000+4000"}), edit: overlapped, want: want{reason: "may have been decided 2.079s before the end"}},
		{
			name: "second of two limits", hits: []string{"A0+1", "A2+1", "A4+1", "A6+1"},
			limits: []tier.Limit{limitOf(9, time.Second), limitOf(3, time.Minute)}, want: fail("admitted 4 of 3"),
		},
		{name: "unknown model", hits: full, edit: func(q *Question) { q.Model = "leaky" }, want: want{reason: `window model "leaky"`}},
		{name: "no limits", hits: full, edit: func(q *Question) { q.Subject.Limits = nil }, want: want{reason: "no limit that counts hits"}},
	} {
		c.run(t, NoOverrun)
	}
}

// A denial by one limit can start the window of another (cases.md W14): what
// looks like four in one short window was two in each of two.
func TestNoOverrunKnowsThatDenialsStartOtherWindows(t *testing.T) {
	windowCase{
		name:   "denial opens the short window",
		limits: []tier.Limit{limitOf(4, 6*sec), limitOf(2, 2*sec)},
		hits: []string{
			"A0+1", "A2+1", "A2050+1", "A2060+1", "D5500+1",
			"A6100+1", "A6110+1", "A7600+1", "A7610+1", "D7620+1",
		},
		want: want{verdict: reports.Pass},
	}.run(t, NoOverrun)
}

func TestNoUnderrun(t *testing.T) {
	fail := func(reason string) want { return want{reports.Fail, reports.Limiter, reason} }
	for _, c := range []windowCase{
		{name: "quota then denials", hits: full, want: want{verdict: reports.Pass}},
		{name: "only admitted", hits: []string{"A84+2"}, want: want{verdict: reports.Pass}},
		{
			name: "denied at once", hits: []string{"D84+1", "A90+2"},
			want: fail("1 hit was denied too early, at 84ms, when at most 0 of 2 hits can have been counted; the limiter said no (its limited_calls +1)"),
		},
		{name: "denied early in the second window", hits: hits(full, []string{"A12000+1", "D12005+1"}), want: fail("at most 1 of 2 hits can have been counted")},
		{name: "overlapping hits may have come first", hits: []string{"D84+5", "A85+5", "A86+5"}, edit: overlapped, want: want{verdict: reports.Pass}},
		{name: "lost hits may have come first", hits: []string{"A84+1", "L86+1", "D90+1"}, want: want{reason: "has no answer"}},
		{
			name: "either limit explains", hits: []string{"A0+1", "A2+1", "D4+1"},
			limits: []tier.Limit{limitOf(9, time.Minute), limitOf(2, sec)}, want: want{verdict: reports.Pass},
		},
		{
			name: "no limit explains", hits: []string{"A0+1", "A2+1", "D1500+1"},
			limits: []tier.Limit{limitOf(9, time.Minute), limitOf(2, sec)}, want: fail("denied too early"),
		},
		{name: "a token limit may explain", hits: []string{"D84+1"}, edit: tokensToo, want: want{reason: "a limit on tokens applies too"}},
		{
			name: "strangers may explain", hits: []string{"D84+1"},
			edit: func(q *Question) { q.Subject.Limits[0].Counters = nil }, want: want{reason: "others draw on the same counter"},
		},
		{name: "counts from before may explain", hits: []string{"D84+1"}, edit: stale, want: want{reason: "may have been live before"}},
		{name: "counts from before no longer explain", hits: []string{"D84+1", "D20000+1"}, edit: stale, want: fail("1 hit was denied too early, at 20s")},
		{
			name: "the gateway's own denial", hits: []string{"D84+1"}, edit: func(q *Question) { q.After.Limiter = q.Before.Limiter },
			want: want{reports.Fail, reports.Gateway, "the limiter denied only 0 of 1"},
		},
		{
			name: "repeated calls spend the quota", hits: []string{"A84+1", "D90+1"},
			edit: func(q *Question) { q.After.Limiter.Users["alice"] = evidence.Calls{Authorized: 2, Hits: 2, Limited: 1} },
			want: want{reports.Fail, reports.Gateway, "the limiter got 3 calls for 2 hits"},
		},
		{name: "nothing decided", hits: []string{"L84+1", "F90+1"}, want: want{reason: "no hit was admitted or denied"}},
		{name: "most hits without a telling answer", hits: []string{"A84+1", "L90+1"}, want: want{reason: "only 1 of 2 hits came back"}},
		{name: "no limits", hits: full, edit: func(q *Question) { q.Subject.Limits = nil }, want: want{reason: "no limit that counts hits"}},
	} {
		c.run(t, NoUnderrun)
	}
}

func TestResets(t *testing.T) {
	late := hits(full, []string{"D10110+1", "D10120+1"})
	fail := want{reports.Fail, reports.Limiter, "2 hits were denied after the window had ended, the first at 10.11s, 19ms after window 1, opened by 86ms, had certainly ended, with at most 0 of 2 counted since"}
	for _, c := range []windowCase{
		{name: "seen to end", hits: hits(full, []string{"A10110+1"}), want: want{verdict: reports.Pass}},
		{name: "denied after the end", hits: late, want: fail},
		{name: "denied at the end", hits: hits(full, []string{"D10080+2", "A10110+1"}), want: want{verdict: reports.Pass}},
		{name: "not seen to end", hits: full, want: want{reason: "no window was seen to end"}},
		{name: "not seen to be full", hits: []string{"A84+1", "A10110+1"}, want: want{reason: "no window was seen to end"}},
		{name: "a false denial is none of this", hits: []string{"D1+1"}, want: want{reason: "no window was seen to end"}},
		{name: "quota of 0", hits: []string{"D1+1"}, limits: []tier.Limit{limitOf(0, sec)}, want: want{reason: "a quota of 0"}},
		{name: "an unheard hit cannot explain it", hits: late, edit: unheardOne, want: want{reports.Fail, reports.Limiter, "2 hits were denied after"}},
		{
			name: "an unheard hit may have moved the window", hits: []string{"A84+2", "A4000+2", "A4003+1", "D4005+1", "D10110+1"}, edit: unheardOne,
			want: want{reason: "the limiter may not have heard 1 admitted hit"},
		},
		{
			name: "nobody knows who was heard", hits: []string{"A84+2", "A4000+2", "A4003+1", "D4005+1", "D10110+1"},
			edit: func(q *Question) { q.After.Limiter, q.After.Gateway = nil, nil }, want: want{reason: "neither the limiter's nor the gateway's book"},
		},
		{
			name: "all heard by the gateway's account", hits: []string{"A84+2", "A4000+2", "A4003+1", "D4005+1", "D10110+1"},
			edit: func(q *Question) { q.After.Limiter = nil }, want: want{reports.Fail, reports.Unattributed, "after window 1"},
		},
		{name: "an uncounted hit at the end", hits: hits(full, []string{"A10082+5", "A12000+1", "A12001+1", "D12002+1", "D20500+1"}), want: want{reason: "expiry race"}},
		{name: "slow denial", hits: hits(full, []string{"D9000+3000", "A13000+1"}), want: want{reason: "under way for 3s"}},
	} {
		c.run(t, Resets)
	}
}

// ceiling is a limit of everybody's beside the subject's own.
func ceiling(q *Question) {
	all := limitOf(100, 3*sec)
	all.Name, all.Counters = "everybody", nil
	q.Subject.Limits = append(q.Subject.Limits, all)
}

func TestInOrder(t *testing.T) {
	for _, c := range []windowCase{
		{name: "quota then denials", hits: full, want: want{verdict: reports.Pass}},
		{name: "admitted only", hits: []string{"A84+1"}, want: want{verdict: reports.Pass}},
		{
			name: "denied before the quota", hits: []string{"A84+1", "D86+1", "A90+1"},
			want: want{reports.Fail, reports.Limiter, "entry 2 was denied after 1 of 2 admissions; the limiter said no (its limited_calls +1)"},
		},
		{
			name: "admitted after a denial", hits: hits(full, []string{"A99+1"}),
			want: want{reports.Fail, reports.Limiter, "entry 4 was admitted at 100ms after entry 3 had been denied in the same window"},
		},
		{name: "the next window is not judged", hits: hits(full, []string{"A10100+1", "D10102+1"}), want: want{verdict: reports.Pass}},
		{name: "a lost hit may be the second", hits: []string{"A84+1", "L86+1", "D90+1"}, want: want{reason: "1 hit without a telling answer before it"}},
		{name: "nothing decided", hits: []string{"L84+1"}, want: want{reason: "none of 1 hit was certainly decided"}},
		{name: "not one at a time", hits: full, edit: overlapped, want: want{reason: "did not go one at a time"}},
		{name: "planned one at a time but overlapping", hits: []string{"A84+9", "A90+1"}, want: want{reason: "entry 2 left 3ms before entry 1 was answered"}},
		{name: "live counter before", hits: full, edit: stale, want: want{reason: "may have been live"}},
		{name: "a token limit may deny first", hits: []string{"D84+1"}, edit: tokensToo, want: want{reason: "a limit on tokens"}},
		{
			name: "strangers may have used the quota", hits: []string{"D84+1"},
			edit: func(q *Question) { q.Subject.Limits[0].Counters = nil }, want: want{reason: "others draw"},
		},
		{name: "under everybody's ceiling too", hits: full, edit: ceiling, want: want{verdict: reports.Pass}},
		{name: "the ceiling may deny first", hits: []string{"A84+1", "D86+1", "A90+1"}, edit: ceiling, want: want{reason: "others draw"}},
		{
			name: "the ceiling's next window lets nobody past a quota of one's own", hits: hits(full, []string{"A5000+1"}), edit: ceiling,
			want: want{reports.Fail, reports.Limiter, "entry 4 was admitted at 5.001s after entry 3 had been denied in the same window"},
		},
	} {
		c.run(t, InOrder)
	}
}

func TestNoEarlyReset(t *testing.T) {
	for _, c := range []windowCase{
		{name: "denied to the last", hits: hits(full, []string{"D10060+1"}), want: want{verdict: reports.Pass}},
		{
			name: "admitted before the end", hits: hits(full, []string{"A9500+1"}),
			want: want{reports.Fail, reports.Limiter, "1 hit was admitted after the quota of 2 was used, at 9.501s, which is 578ms before window 1, opened at 84ms, can have ended"},
		},
		{name: "admitted at the end", hits: hits(full, []string{"A10079+10"}), want: want{verdict: reports.Pass}},
		{name: "quota never used", hits: []string{"A84+1"}, want: want{reason: "no hit left after a window's quota was certainly used"}},
		{name: "live counter before", hits: hits(full, []string{"A20000+1", "A20002+1", "D20005+1"}), edit: stale, want: want{reason: "may have been live"}},
		{name: "expiry race", hits: hits(full, []string{"A10082+5", "A10200+1", "A10210+1"}), want: want{reason: "expiry race"}},
		{name: "quota of 0", hits: []string{"D84+1"}, limits: []tier.Limit{limitOf(0, sec)}, want: want{reason: "no hit left"}},
	} {
		c.run(t, NoEarlyReset)
	}
}

func TestDenialsAre429(t *testing.T) {
	booked := func(n int64) func(*Question) {
		return func(q *Question) {
			calls := q.After.Limiter.Users["alice"]
			calls.Limited += n
			q.After.Limiter.Users["alice"] = calls
		}
	}
	fives := []string{"A84+2", "A90+2", "F95+1", "F97+1"}
	for _, c := range []windowCase{
		{name: "429", hits: full, want: want{verdict: reports.Pass}},
		{
			name: "503 that the limiter denied", hits: fives, edit: booked(2),
			want: want{reports.Fail, reports.Gateway, "2 hits were answered 503 instead of 429, the first at 95ms; the limiter's limited_calls +2 for 0 denials seen"},
		},
		{name: "503 that it did not", hits: fives, want: want{verdict: reports.Pass, reason: "none of which the limiter denied"}},
		{name: "401 that the limiter denied", hits: []string{"A84+2", "A90+2", "R95+1"}, edit: booked(1), want: want{reports.Fail, reports.Gateway, "answered 401"}},
		{name: "lost hits may be the denied ones", hits: []string{"A84+2", "A90+2", "F95+1", "L97+1"}, edit: booked(1), want: want{reason: "cannot be told"}},
		{name: "no book", hits: fives, edit: func(q *Question) { q.After.Limiter = nil }, want: want{reason: "book was not read"}},
		{name: "nothing denied", hits: []string{"A84+2"}, want: want{reason: "no hit was denied"}},
	} {
		c.run(t, DenialsAre429)
	}
}
