package oracle

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func names() (names []string) {
	for _, r := range All() {
		names = append(names, r.Name)
	}
	return names
}

func TestJudgeAnswersEveryRuleInOrder(t *testing.T) {
	entries := ledger(t, full...)
	q := question(entries, limitOf(2, 10*sec))
	q.Rules = slices.Concat(names(), []string{Assumptions, "no-such-rule"})
	findings := Judge(q, entries)
	var got []string
	for _, f := range findings {
		got = append(got, f.Rule)
		if f.Subject != "premium/alice" || f.Evidence.Ledger != "ledger/B02.jsonl" {
			t.Errorf("%s is about %q in %q", f.Rule, f.Subject, f.Evidence.Ledger)
		}
	}
	if diff := cmp.Diff(slices.Concat([]string{Assumptions}, names(), []string{"no-such-rule"}), got); diff != "" {
		t.Error(diff)
	}
	want{reason: `rule "no-such-rule" is unknown`}.check(t, findings[len(findings)-1])
}

func TestNoRuleIsADoubt(t *testing.T) {
	entries := ledger(t, full...)
	findings := Judge(question(entries, limitOf(2, 10*sec)), entries)
	want{reason: "names no rule"}.check(t, findings[len(findings)-1])
}

// Nothing was fired, so no rule about hits may pass or fail.
func TestNoHitsAreADoubt(t *testing.T) {
	q := question(nil, limitOf(2, 10*sec))
	q.Rules = names()
	for _, f := range Judge(q, nil)[1:] {
		if f.Verdict != reports.Inconclusive || f.Reason == "" {
			t.Errorf("%s is %s (%q) on no hits", f.Rule, f.Verdict, f.Reason)
		}
	}
}

func TestHitsOfOthersAreNotTheSubjects(t *testing.T) {
	entries := ledger(t, "A84+1", "A86+1", "A88+1", "D90+1")
	entries[2].Identity, entries[2].Attack = "premium/bob", "bob"
	q := question(entries, limitOf(2, 10*sec))
	q.Attacks = []Attack{{Name: "main", Planned: 4}, {Name: "bob", Planned: 4}}
	entries[3].Seq = 2
	q.Attacks[0].Planned, q.Attacks[1].Planned = 3, 1
	entries[2].Seq, entries[3].Seq = 0, 2
	want{verdict: reports.Pass}.check(t, ruleNamed(t, NoOverrun).Judge(q, entries))

	q.Subject.Identity = "" // then the subject is who the attacks belong to
	want{reports.Fail, reports.Limiter, "admitted 3 of 2"}.check(t, ruleNamed(t, NoOverrun).Judge(q, entries))
	q.Attacks = q.Attacks[:1]
	want{verdict: reports.Pass}.check(t, ruleNamed(t, NoOverrun).Judge(q, entries))
}

// The order of the ledger, which is that of the answers or of nothing, makes
// no difference but to the numbers of the entries.
func TestLedgerOrderDoesNotMatter(t *testing.T) {
	entries := ledger(t, "A84+2", "A90+2", "A95+2", "D99+1", "A10100+1")
	q := question(entries, limitOf(2, 10*sec))
	q.Rules = names()
	forth := Judge(q, entries)
	slices.Reverse(entries)
	back := Judge(q, entries)
	for i := range forth {
		if forth[i].Verdict != back[i].Verdict || forth[i].Component != back[i].Component {
			t.Errorf("%s: %s of %q forth, %s of %q back", forth[i].Rule, forth[i].Verdict, forth[i].Component, back[i].Verdict, back[i].Component)
		}
	}
}

func TestFindingsPointAtEntries(t *testing.T) {
	var list []string
	for i := range 60 {
		list = append(list, fmt.Sprintf("A%d+1", 10*i))
	}
	entries := ledger(t, list...)
	q := question(entries, limitOf(2, 10*sec))
	f := ruleNamed(t, NoOverrun).Judge(q, entries)
	if len(f.Evidence.Entries) != mostEntries || f.Evidence.Entries[0] != 3 {
		t.Errorf("points at %v, want 20 entries from the third", f.Evidence.Entries)
	}
	if f.Limit != "2 hits / 10s" {
		t.Errorf("limit is %q", f.Limit)
	}
}

// The question is written beside the ledger and judged again from there.
func TestQuestionSurvivesItsFile(t *testing.T) {
	entries := ledger(t, full...)
	q := question(entries, limitOf(2, 10*sec))
	q.Rules = names()
	body := "x"
	q.Want = Want{Body: &body, InForce: []evidence.LimitInForce{{Namespace: "n", MaxValue: 2}}}
	text, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	var again Question
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Judge(q, entries), Judge(again, entries)); diff != "" {
		t.Error(diff)
	}
}

func TestAssumptions(t *testing.T) {
	holds := want{verdict: reports.Pass}
	broken := func(reason string) want { return want{reports.Inconclusive, reports.Suite, reason} }
	for name, c := range map[string]struct {
		edit func(*Question, []evidence.Entry)
		want want
		// judged is a rule that is judged all the same.
		judged string
	}{
		"hold": {func(*Question, []evidence.Entry) {}, holds, NoOverrun},
		"fewer fired than planned": {
			func(q *Question, _ []evidence.Entry) { q.Attacks[0].Planned = 5 },
			broken(`attack "main" left 3 entries of 5 hits planned`), LimitsInForce,
		},
		"more fired than planned": {
			func(q *Question, _ []evidence.Entry) { q.Attacks[0].Planned = 2 },
			broken(`entry 3 is hit 3 of attack "main", of which 2 were planned`), "",
		},
		"a hit twice":        {func(_ *Question, es []evidence.Entry) { es[1].Seq = 0 }, broken(`entry 2 is a second entry of hit 1`), ""},
		"an id twice":        {func(_ *Question, es []evidence.Entry) { es[1].Hit = es[0].Hit }, broken("entry 2 repeats the hit id"), ""},
		"no id":              {func(_ *Question, es []evidence.Entry) { es[1].Hit = "" }, broken("entry 2 has no hit id"), ""},
		"answered too early": {func(_ *Question, es []evidence.Entry) { es[1].Received = 0 }, broken("entry 2 was received at 0s but sent at 90ms"), ""},
		"unknown outcome":    {func(_ *Question, es []evidence.Entry) { es[1].Outcome = "fine" }, broken(`unknown outcome "fine"`), ""},
		"unplanned attack":   {func(_ *Question, es []evidence.Entry) { es[1].Attack = "other" }, broken(`attack "other", which was not planned`), ""},
		"attack planned twice": {
			func(q *Question, _ []evidence.Entry) { q.Attacks = append(q.Attacks, q.Attacks[0]) },
			broken("two attacks are planned under the name"), "",
		},
		"overlapping": {
			func(_ *Question, es []evidence.Entry) { es[0].Received = 91 * ms },
			broken("entry 2 left 1ms before entry 1 was answered"), NoUnderrun,
		},
		"lagging": {
			func(q *Question, _ []evidence.Entry) { q.Attacks[0].LagP99, q.Attacks[0].MaxLag = 30*ms, 10*ms },
			broken(`left more than 30ms late, 10ms is allowed`), Reconciled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, full...)
			q := question(entries, limitOf(2, 10*sec))
			c.edit(&q, entries)
			q.Rules = []string{NoOverrun, InOrder}
			q.Want.InForce = []evidence.LimitInForce{{}}
			q.After.Limiter.InForce = q.Want.InForce
			findings := Judge(q, entries)
			c.want.check(t, findings[0])
			if c.want.verdict == reports.Inconclusive {
				want{reason: ""}.check(t, findings[2])
			}
			if c.judged != "" {
				want{verdict: reports.Pass}.check(t, ruleNamed(t, c.judged).Judge(q, entries))
			}
		})
	}
}

// A generator that lags hides defects; it does not make them up.
func TestLagDoubtsAPassAndKeepsAFail(t *testing.T) {
	for _, c := range []struct {
		hits []string
		want want
	}{
		{full, want{reason: "the generator lagged"}},
		{[]string{"A84+1", "A86+1", "A88+1"}, want{reports.Fail, reports.Limiter, "admitted 3 of 2"}},
	} {
		entries := ledger(t, c.hits...)
		q := question(entries, limitOf(2, 10*sec))
		q.Attacks[0].LagP99, q.Attacks[0].MaxLag = 30*ms, 10*ms
		c.want.check(t, ruleNamed(t, NoOverrun).Judge(q, entries))
	}
}

// A ledger that is judged again holds what the case fired for its later
// questions: the verdict must be the one of the run.
func TestHitsOfLaterQuestionsAreNotThisOnes(t *testing.T) {
	early := ledger(t, "A84+1", "A86+1", "D90+1")
	q := question(early, limitOf(2, 10*sec))
	q.Rules = []string{NoOverrun, Reconciled, PrometheusAgrees, GatewayAgrees, BackendAgrees}
	whole := ledger(t, "A84+1", "A86+1", "D90+1", "A9084+1", "A9086+1", "L9090+1")
	for i := range whole[3:] {
		whole[3+i].Attack = "later"
		whole[3+i].Seq = uint64(i)
	}
	then, again := Judge(q, early), Judge(q, whole)
	if diff := cmp.Diff(then, again); diff != "" {
		t.Errorf("judged again (-then +again):\n%s", diff)
	}
	for _, f := range then {
		if f.Verdict != reports.Pass {
			t.Errorf("%s: %s: %s", f.Rule, f.Verdict, f.Reason)
		}
	}
}
