package reports_test

import (
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// looked is a case that was judged: it ran to its end.
func looked(id string, verdict reports.Verdict, findings ...reports.Finding) reports.Case {
	return reports.Case{ID: id, Verdict: verdict, Began: time.Unix(1, 0), Duration: time.Second, Findings: findings}
}

func holds(rule string) reports.Finding {
	return reports.Finding{Rule: rule, Verdict: reports.Pass}
}

func doubts(rule string) reports.Finding {
	return reports.Finding{Rule: rule, Verdict: reports.Inconclusive, Reason: "a hit was lost"}
}

func many(n int) []reports.Case {
	var list []reports.Case
	for range n {
		list = append(list, looked("P", reports.Pass, holds("no-overrun")))
	}
	return list
}

func TestSettleSpendsTheBudgetOnDoubtsThatWereLookedAt(t *testing.T) {
	doubtful := looked("M03", reports.Inconclusive, holds("no-overrun"), doubts("gateway-agrees"))
	void := doubtful
	void.Void, void.Doubt = true, "limitador ended while it was needed"
	cutOff := doubtful
	cutOff.Doubt = "the spec timedout: it took 3m"
	unexplained := looked("M03", reports.Inconclusive, reports.Finding{Rule: "no-overrun"})
	for name, c := range map[string]struct {
		record reports.Record
		want   reports.Verdict
		says   string
	}{
		"one of twenty": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), doubtful)},
			want:   reports.Pass, says: "1 case is in doubt: M03; the budget is 1 case; not shown by any case: gateway-agrees",
		},
		"one of nineteen": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(18), doubtful)},
			want:   reports.Inconclusive, says: "more than the budget of 0 cases",
		},
		"two of twenty": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(18), doubtful, doubtful)},
			want:   reports.Inconclusive, says: "2 cases are in doubt: M03, M03; that is more than the budget of 1 case",
		},
		"without a budget": {
			record: reports.Record{Cases: append(many(99), doubtful)}, want: reports.Inconclusive, says: "budget of 0",
		},
		"a fail beside": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), doubtful, looked("B02", reports.Fail))},
			want:   reports.Fail,
		},
		"cases that were not judged enlarge no budget": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(18), doubtful, reports.Case{ID: "S02", Verdict: reports.NotJudged})},
			want:   reports.Inconclusive,
		},
		"the run itself is in doubt": {
			record: reports.Record{Reason: "limitador ended while it was needed", Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), doubtful)},
			want:   reports.Inconclusive,
		},
		"the run was killed": {
			record: reports.Record{Interrupted: true, Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), doubtful)},
			want:   reports.Inconclusive,
		},
		"nothing was judged": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.5}, Cases: []reports.Case{{ID: "S02", Verdict: reports.NotJudged}}},
			want:   reports.Inconclusive,
		},
		"nothing held": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.5}, Cases: []reports.Case{doubtful}}, want: reports.Inconclusive,
		},
		"a case that left no result": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), reports.Case{ID: "C01", Verdict: reports.Inconclusive, Reason: "it did not run"})},
			want:   reports.Inconclusive, says: "no budget covers what judged nothing: C01",
		},
		"a case under which a component died": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), void)},
			want:   reports.Inconclusive, says: "no budget covers",
		},
		"a case that was cut off": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), cutOff)},
			want:   reports.Inconclusive, says: "no budget covers",
		},
		"a doubt without a cause": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), unexplained)},
			want:   reports.Inconclusive, says: "no budget covers",
		},
		"a budget that is none": {
			record: reports.Record{Doubt: reports.Doubt{Budget: 7}, Cases: append(many(19), doubtful)}, want: reports.Inconclusive,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.record.Settle()
			if c.record.Verdict != c.want {
				t.Errorf("verdict %s, want %s", c.record.Verdict, c.want)
			}
			if text := c.record.DoubtText(); !strings.Contains(text, c.says) {
				t.Errorf("says %q, want %q", text, c.says)
			}
			if got := c.record.PassedInDoubt(); got != (c.want == reports.Pass) {
				t.Errorf("passed in doubt: %t", got)
			}
		})
	}
}

func TestSettleTwiceIsSettled(t *testing.T) {
	r := reports.Record{Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), looked("M03", reports.Inconclusive, doubts("served")))}
	r.Settle()
	first := r.DoubtText()
	r.Settle()
	if r.Verdict != reports.Pass || r.DoubtText() != first {
		t.Errorf("settled again: %s, %q; first %q", r.Verdict, r.DoubtText(), first)
	}
}

func TestSummaryIsLoudAboutDoubts(t *testing.T) {
	r := reports.Record{Began: time.Unix(1, 0), Ended: time.Unix(1, 0), Doubt: reports.Doubt{Budget: 0.05}, Cases: append(many(19), looked("M03", reports.Inconclusive, doubts("served")))}
	r.Settle()
	const want = "PASS WITH DOUBTS 20 cases, 0 identities, 0 hits, 1 doubt, 0 s · 1 case is in doubt: M03; the budget is 1 case; not shown by any case: served · out/x/report.html"
	if got := r.Summary("out/x/report.html"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEveryDoubtSaysWhatToChange(t *testing.T) {
	finding := doubts("served")
	finding.Remedy = "run it alone"
	for name, r := range map[string]reports.Record{
		"a finding":  {Verdict: reports.Inconclusive, Cases: []reports.Case{looked("M03", reports.Inconclusive, finding)}},
		"a case":     {Verdict: reports.Inconclusive, Cases: []reports.Case{{ID: "C01"}}},
		"a void one": {Verdict: reports.Inconclusive, Cases: []reports.Case{{ID: "C01", Void: true}}},
		"the run":    {Verdict: reports.Inconclusive, Interrupted: true},
	} {
		problems := r.Problems()
		if len(problems) != 1 || problems[0].Remedy() == "" {
			t.Errorf("%s: %d problems, want one with a remedy", name, len(problems))
		}
	}
	failed := reports.Record{Verdict: reports.Fail, Cases: []reports.Case{looked("M03", reports.Fail, reports.Finding{Verdict: reports.Fail})}}
	if remedy := failed.Problems()[0].Remedy(); remedy != "" {
		t.Errorf("a fail is to be looked at, not changed: %q", remedy)
	}
}
