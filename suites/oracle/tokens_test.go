package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestTokensSpent(t *testing.T) {
	tokens := func(quota int64) func(*Question) {
		return func(q *Question) {
			q.Subject.Limits = append(q.Subject.Limits, tier.Limit{Name: "tokens", Quota: quota, Unit: tier.Tokens, Window: 10 * sec})
		}
	}
	free := []string{"A1+1", "A3+1", "A5+1"}
	for _, c := range []bookCase{
		{name: "spent by one answer", hits: []string{"A1+1", "D3+1"}, edit: tokens(1), want: want{verdict: reports.Pass}},
		{name: "one more meanwhile", hits: []string{"A1+1", "A3+1", "D5+1"}, edit: tokens(1), want: want{verdict: reports.Pass}},
		{name: "asked too late", hits: free, edit: both(tokens(1), booked(6, 2)), want: want{reports.Fail, reports.Gateway, "3 hits were served, and a quota of 1 token serves 2 at most; the limiter's limited_calls +2 for 0 denials seen"}},
		{name: "never asked", hits: free, edit: both(tokens(1), booked(0, 0)), want: want{reports.Fail, reports.Gateway, "the limiter was never asked"}},
		{name: "admitted", hits: free, edit: tokens(1), want: want{reports.Fail, reports.Limiter, "the limiter's limited_calls +0"}},
		{name: "no book", hits: free, edit: both(tokens(1), func(q *Question) { q.After.Limiter = nil }), want: want{reports.Fail, reports.Unattributed, "the limiter book was not read"}},
		{name: "not used up", hits: free, edit: tokens(3), want: want{reason: "the quota of tokens was not used up"}},
		{name: "over several windows", hits: []string{"A1+1", "A3+1", "A20000+1"}, edit: tokens(1), want: want{reason: "longer than the window"}},
		{name: "no token limit", hits: free, want: want{reason: "no limit that counts tokens"}},
	} {
		c.run(t, TokensSpent)
	}
}

func TestAnswersEnd(t *testing.T) {
	judged := func(edit func(entries []evidence.Entry)) reports.Finding {
		entries := ledger(t, "A1+1", "B3+1", "A5+1")
		entries[2].Attack, entries[2].Seq = "straight", 0
		if edit != nil {
			edit(entries)
		}
		q := question(entries)
		q.Subject, q.Want.Straight = Subject{}, "straight"
		q.Attacks = nil
		seen := map[string]int{}
		for _, e := range entries {
			seen[e.Attack]++
		}
		for name, n := range seen {
			q.Attacks = append(q.Attacks, Attack{Name: name, Planned: n})
		}
		return ruleNamed(t, AnswersEnd).Judge(q, entries)
	}
	broken := func(i int) func([]evidence.Entry) {
		return func(entries []evidence.Entry) { entries[i].Error = "no whole answer within 5s" }
	}
	for name, c := range map[string]struct {
		edit func([]evidence.Entry)
		want want
	}{
		"all do":       {want: want{verdict: reports.Pass}},
		"withheld":     {broken(0), want{reports.Fail, reports.Gateway, "1 of 2 hits were not answered to the end; entry 1: no whole answer within 5s"}},
		"by the model": {broken(2), want{reports.Fail, reports.Model, "1 of 1 hit was not answered to the end"}},
		"not compared": {func(entries []evidence.Entry) { entries[2].Attack, entries[2].Seq = "main", 2; broken(0)(entries) }, want{reason: "could not be asked without the gateway"}},
		"never answered": {func(entries []evidence.Entry) {
			entries[0].Outcome, entries[1].From = evidence.Denied, evidence.FromGateway
		}, want{reason: "no hit was answered by the model"}},
	} {
		t.Run(name, func(t *testing.T) { c.want.check(t, judged(c.edit)) })
	}
}
