package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// aboutAllBut asks about the entries after the first ones, which an attack of its own
// has fired, under a limit of 2 hits / 10s.
func aboutAllBut(earlier int, entries []evidence.Entry) Question {
	for i := range entries {
		if i < earlier {
			entries[i].Attack = "earlier"
		} else {
			entries[i].Seq = uint64(i - earlier)
		}
	}
	q := question(entries, limitOf(2, 10*sec))
	q.Subject.Identity = ""
	q.Attacks[0].Planned -= earlier
	return q
}

// A quota of 2 hits / 10s is spent by an attack that the question is not about; then
// hits follow that no quota may be left for.
func TestAQuotaThatBeginsAnewIsNotSpent(t *testing.T) {
	for name, c := range map[string]struct {
		rule string
		hits []string
		want want
	}{
		"within":        {AllDenied, []string{"A1+1", "A3+1", "D5000+1", "A6000+1"}, want{verdict: reports.Fail, reason: "1 of 2 hits were admitted although no quota is left"}},
		"after":         {AllDenied, []string{"A1+1", "A3+1", "D5000+1", "A10001+1"}, want{reason: "outlasts the window: entry 4 was answered 10.001s after the caller's first hit"}},
		"one of each":   {AllDenied, []string{"A1+1", "A3+1", "A5000+1", "A10001+1"}, want{verdict: reports.Fail, reason: "1 of 2 hits were admitted although no quota is left"}},
		"form within":   {NoBypass, []string{"A1+1", "A3+1", "A5000+1", "D5010+1"}, want{verdict: reports.Fail, reason: "1 of 2 hits were served although the quota was spent"}},
		"form after":    {NoBypass, []string{"A1+1", "A3+1", "A10001+1", "D10010+1"}, want{reason: "outlasts the window: entry 3"}},
		"spent earlier": {NoBypass, []string{"D1+1", "D3+1", "A5000+1", "D5010+1"}, want{verdict: reports.Fail, reason: "1 of 2 hits were served"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := aboutAllBut(2, entries)
			got := ruleNamed(t, c.rule).Judge(q, entries)
			c.want.component = got.Component // Whom it is blamed on is told elsewhere.
			c.want.check(t, got)
		})
	}
}

// A member's second window is asked about alone. It is no fresh one where a hit
// between the two may have begun it.
func TestOwnQuotaOfALaterWindow(t *testing.T) {
	for name, c := range map[string]struct {
		between string
		want    want
	}{
		"denied":           {"D9000+1", want{verdict: reports.Pass}},
		"admitted late":    {"A10100+900", want{reason: "for 1 of 1 identities it was not seen"}},
		"failed":           {"F10100+900", want{reason: "for 1 of 1 identities it was not seen"}},
		"lost":             {"L9000+1", want{reason: "for 1 of 1 identities it was not seen"}},
		"admitted in time": {"A9000+1", want{reason: "for 1 of 1 identities it was not seen"}},
	} {
		t.Run(name, func(t *testing.T) {
			second := []string{"A12000+1", "A12010+1", "D12020+1"}
			if c.want.verdict != reports.Pass {
				// It drew on the quota.
				second = []string{"A12000+1", "D12010+1", "D12020+1"}
			}
			entries := ledger(t, append([]string{"A1+1", "A3+1", "D5+1", c.between}, second...)...)
			c.want.check(t, ruleNamed(t, OwnQuota).Judge(aboutAllBut(4, entries), entries))
		})
	}
}

func TestARefusedMemberOfACrowdIsNamed(t *testing.T) {
	crowdCase{
		members: [][]string{{"A1+1", "A100+1", "D200+1"}, {"R1+1", "R100+1", "R200+1"}},
		want:    want{reason: "3 hits were refused"},
	}.run(t, OwnQuota)
}
