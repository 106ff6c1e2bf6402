package reports_test

import (
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

func cases(verdicts ...reports.Verdict) []reports.Case {
	list := make([]reports.Case, len(verdicts))
	for i, v := range verdicts {
		list[i] = reports.Case{ID: string(rune('A' + i)), Verdict: v, Findings: []reports.Finding{{Verdict: v}}}
	}
	return list
}

func TestSummary(t *testing.T) {
	began := time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)
	callers := []reports.IdentityTally{{Name: "a", Tier: "free", Sent: 5}, {Name: "a", Tier: "free", Sent: 4}, {Name: "b", Tier: "free", Sent: 3}, {Sent: 2}}
	tests := map[string]struct {
		record reports.Record
		want   string
	}{
		"pass": {
			reports.Record{Verdict: reports.Pass, Ended: began.Add(41 * time.Second), Identities: callers, Cases: cases(reports.Pass, reports.Pass)},
			"PASS 2 cases, 2 identities, 14 hits, 0 doubts, 41 s · out/x/report.html",
		},
		"one of each": {
			reports.Record{
				Verdict: reports.Pass, Ended: began.Add(400 * time.Millisecond),
				Identities: []reports.IdentityTally{{Name: "a", Sent: 1}}, Cases: cases(reports.Pass),
			},
			"PASS 1 case, 1 identity, 1 hit, 0 doubts, 0 s · out/x/report.html",
		},
		"fail": {
			reports.Record{
				Verdict: reports.Fail, Ended: began.Add(155600 * time.Millisecond), Identities: callers,
				Cases: cases(reports.Pass, reports.Fail, reports.Fail, reports.Inconclusive, reports.NotJudged),
			},
			"FAIL 2 of 4 cases, 2 identities, 14 hits, 1 doubt, 156 s, 1 not judged · out/x/report.html",
		},
		"inconclusive": {
			reports.Record{Verdict: reports.Inconclusive, Ended: began.Add(time.Second), Cases: cases(reports.Pass, reports.Inconclusive)},
			"INCONCLUSIVE 1 of 2 cases, 0 identities, 0 hits, 1 doubt, 1 s · out/x/report.html",
		},
		"nothing ran": {
			reports.Record{},
			"INCONCLUSIVE 0 cases, 0 identities, 0 hits, 1 doubt, 0 s · out/x/report.html",
		},
		"killed, all passed so far": {
			reports.Record{
				Verdict: reports.Inconclusive, Interrupted: true,
				Cases: []reports.Case{{Verdict: reports.Pass, Began: began.Add(3 * time.Second), Duration: 2 * time.Second}},
			},
			"INCONCLUSIVE 1 case, 0 identities, 0 hits, 1 doubt, 5 s · out/x/report.html",
		},
		"a doubt without a finding": {
			reports.Record{Verdict: reports.Inconclusive, Cases: []reports.Case{{Verdict: reports.Inconclusive}}},
			"INCONCLUSIVE 1 of 1 case, 0 identities, 0 hits, 1 doubt, 0 s · out/x/report.html",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if !test.record.Ended.IsZero() || len(test.record.Cases) > 0 {
				test.record.Began = began
			}
			if got := test.record.Summary("out/x/report.html"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestDurationOfAKilledRunEndsWithItsLastCase(t *testing.T) {
	r := reports.Record{Began: time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)}
	if got := r.Duration(); got != 0 {
		t.Errorf("without a case: %v, want 0", got)
	}
}

func TestARunWithoutAJudgedCaseSaysWhy(t *testing.T) {
	two := []reports.Case{{ID: "A", Verdict: reports.NotJudged}, {ID: "B", Verdict: reports.NotJudged, Reason: "no such model"}}
	for want, cases := range map[string][]reports.Case{
		"B was not judged: no such model":                             two[1:],
		"none of 2 cases was judged; B was not judged: no such model": two,
		"the record gives no reason":                                  two[:1],
	} {
		r := reports.Record{Verdict: reports.Inconclusive, Cases: cases}
		if got := r.Problems(); len(got) != 1 || got[0].Reason(&r) != want {
			t.Errorf("%+v of %d cases, want one that says %q", got, len(cases), want)
		}
	}
	judged := reports.Record{Interrupted: true, Cases: append(two, reports.Case{ID: "C", Verdict: reports.Pass})}
	if got := judged.Problems(); len(got) != 1 || got[0].Reason(&judged) != "the record gives no reason" {
		t.Errorf("%+v: a case was judged", got)
	}
}

func TestProblemsPutFailsFirst(t *testing.T) {
	r := reports.Record{
		Verdict: reports.Fail, Interrupted: true, Reason: "stopped",
		Cases: []reports.Case{
			{ID: "A", Title: "doubt", Verdict: reports.Inconclusive, Reason: "why"},
			{ID: "B", Verdict: reports.Fail, Findings: []reports.Finding{
				{Rule: "one", Guarantee: "g", Verdict: reports.Pass},
				{Rule: "two", Guarantee: "g", Verdict: reports.Fail, Reason: "seen", Attribution: "blame"},
				{Rule: "three", Guarantee: "g", Verdict: reports.Inconclusive},
			}},
			{ID: "C", Title: "bare", Verdict: reports.Fail},
			{ID: "D", Verdict: reports.NotJudged, Reason: "no"},
		},
	}
	want := []struct{ title, reason string }{
		{"B two: g", "seen; blame"},
		{"C: bare", "the record gives no reason"},
		{"run: did not end in order", "stopped"},
		{"A: doubt", "why"},
		{"B three: g", "the record gives no reason"},
	}
	got := r.Problems()
	if len(got) != len(want) {
		t.Fatalf("%d problems, want %d: %+v", len(got), len(want), got)
	}
	for i, problem := range got {
		if problem.Title(&r) != want[i].title || problem.Reason(&r) != want[i].reason {
			t.Errorf("%d: got %q, %q; want %q, %q", i, problem.Title(&r), problem.Reason(&r), want[i].title, want[i].reason)
		}
	}
}
