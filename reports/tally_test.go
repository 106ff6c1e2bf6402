package reports_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

func sample() *reports.Record {
	hits := func(quota int64, window time.Duration) tier.Limit {
		return tier.Limit{Quota: quota, Unit: tier.Hits, Window: window}
	}
	return &reports.Record{
		Tiers: []tier.Tier{
			{Name: "gold", Limits: []tier.Limit{hits(7, 30*time.Second), hits(3, 5*time.Second)}},
			{Name: "unused", Limits: []tier.Limit{hits(1, time.Minute)}},
		},
		Identities: []reports.IdentityTally{
			{Name: "a", Tier: "gold", Case: "B01", Sent: 5, Admitted: 3, Denied: 1, Lost: 1},
			{Name: "b", Tier: "gold", Case: "I01", Sent: 2, Admitted: 1, Refused: 1},
			{Name: "c", Tier: "gold", Case: "W01", Sent: 4, Denied: 4},
			{Sent: 1, Failed: 1},
		},
		Cases: []reports.Case{
			{ID: "B01", Verdict: reports.Fail, Findings: []reports.Finding{
				{Verdict: reports.Fail, Subject: "gold/x"}, {Verdict: reports.Pass, Subject: "gold/a"},
			}},
			{ID: "I01", Verdict: reports.Inconclusive},
			{ID: "W01", Variant: "twin", Verdict: reports.Fail, Findings: []reports.Finding{
				{Verdict: reports.Fail, Subject: "gold/c", Limit: "7 hits / 1m0s"}, {Verdict: reports.Pass, Subject: "gold/c", Limit: "7 hits / 1m0s"},
			}},
		},
	}
}

func TestIdentityRows(t *testing.T) {
	type row struct {
		Subject, Variant string
		Limits           []string
		Verdict          reports.Verdict
	}
	want := []row{
		{"gold/a", "policy", []string{"7 hits / 30s", "3 hits / 5s"}, reports.Pass},         // by its own finding
		{"gold/b", "policy", []string{"7 hits / 30s", "3 hits / 5s"}, reports.Inconclusive}, // by its case
		{"gold/c", "twin", []string{"7 hits / 1m"}, reports.Fail},                           // the twin's limit, not the policy's
		{"", "policy", nil, reports.NotJudged},                                              // by nothing
	}
	var got []row
	for _, r := range sample().IdentityRows() {
		got = append(got, row{r.Subject(), r.Variant, r.Limits, r.Verdict})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTierRows(t *testing.T) {
	type row struct {
		Label                                 string
		Identities, Sent, Admitted, Denied, O int
		Verdict                               reports.Verdict
	}
	want := []row{
		{"gold", 2, 7, 4, 1, 2, reports.Inconclusive},
		{"unused", 0, 0, 0, 0, 0, reports.NotJudged},
		{"gold on twin", 1, 4, 0, 4, 0, reports.Fail},
		{"(no tier)", 1, 1, 0, 0, 1, reports.NotJudged},
	}
	var got []row
	for _, r := range sample().TierRows() {
		got = append(got, row{r.Label(), r.Identities, r.Sent, r.Admitted, r.Denied, r.Other(), r.Verdict})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
