package oracle

import (
	"slices"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func declaring(names ...string) func(*Question) {
	return func(q *Question) { q.Declared = names }
}

// weaknesses are each a known weakness as its rule meets it.
var weaknesses = []struct {
	name, rule string
	limits     []tier.Limit
	hits       []string
	edit       func(*Question, []evidence.Entry)
}{
	{weakness.FreshCounters, ComesBack, nil, []string{"A10+1", "A12+1", "D14+1", "A160+1", "D170+1"}, func(q *Question, _ []evidence.Entry) { killed(0)(q) }},
	{weakness.FailOpen, ComesBack, nil, []string{"A10+1", "A12+1", "D14+1", "A110+1", "D170+1"}, func(q *Question, _ []evidence.Entry) { killed(1)(q) }},
	{weakness.UnsharedCounters, OneCounter, nil, doubled, func(q *Question, _ []evidence.Entry) { accounts([2]int64{2, 1}, [2]int64{2, 0})(q) }},
	{weakness.UnsharedCounters, UnsharedIsFound, nil, doubled, func(q *Question, _ []evidence.Entry) { accounts([2]int64{2, 1}, [2]int64{2, 0})(q) }},
	{weakness.StopLingers, StoppedIsSilent, nil, []string{"A84+1", "D86+1"}, nil},
	{weakness.ReadyWithoutGRPC, ReadyMeansServing, nil, []string{"A84+1"}, func(q *Question, _ []evidence.Entry) { q.Startup = &evidence.Startup{Status: 200, Watched: sec} }},
	{
		weakness.RefusalsOpenWindows, RefusalsOpenNothing,
		[]tier.Limit{named("spent", 2, 10*sec), named("wide", 4, 60*sec)},
		[]string{"A84+1", "A86+1", "D90+1"},
		func(q *Question, _ []evidence.Entry) {
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: []evidence.LiveCounter{live(q.Subject.Limits[0], 2, 0), live(q.Subject.Limits[1], 4, 4)}}
		},
	},
	{weakness.ResetHeaderZero, ResetTold, nil, []string{"A84+1", "A86+1"}, func(_ *Question, entries []evidence.Entry) {
		const limit = `2, 2;w=10`
		telling(entries, limit+"|1|0", limit+"|0|9")
	}},
}

// TestKnownWeaknessesFailUnlessTheyAreDeclared judges each with nothing
// declared, with another weakness declared, and with its own.
func TestKnownWeaknessesFailUnlessTheyAreDeclared(t *testing.T) {
	for _, c := range weaknesses {
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			limits := c.limits
			if limits == nil {
				limits = []tier.Limit{limitOf(2, 10*sec)}
			}
			q := question(entries, limits...)
			if c.edit != nil {
				c.edit(&q, entries)
			}
			rule := ruleNamed(t, c.rule)
			for _, declared := range [][]string{nil, {"another"}} {
				q.Declared = declared
				f := rule.Judge(q, entries)
				if f.Verdict != reports.Fail || !slices.Equal(f.Weaknesses, []string{c.name}) || f.Component == reports.Unattributed {
					t.Errorf("declared %q: verdict %s, weaknesses %q, blames %q, says: %s", declared, f.Verdict, f.Weaknesses, f.Component, f.Reason)
				}
			}
			q.Declared = []string{"another", c.name}
			f := rule.Judge(q, entries)
			if f.Verdict != reports.Pass || !slices.Equal(f.Weaknesses, []string{c.name}) || !strings.Contains(f.Reason, "as declared: "+c.name) {
				t.Errorf("declared: verdict %s, weaknesses %q, says: %s", f.Verdict, f.Weaknesses, f.Reason)
			}
		})
	}
}

// TestADeclarationExcusesNothingElse declares everything and lies about a reset
// in another way than the known one.
func TestADeclarationExcusesNothingElse(t *testing.T) {
	entries := ledger(t, "A84+1", "A86+1")
	telling(entries, "2, 2;w=10|1|0", "2, 2;w=10|0|0")
	q := question(entries, limitOf(2, 10*sec))
	for _, w := range weakness.All() {
		q.Declared = append(q.Declared, w.Name)
	}
	f := ruleNamed(t, ResetTold).Judge(q, entries)
	if f.Verdict != reports.Fail || len(f.Weaknesses) != 0 {
		t.Errorf("verdict %s, weaknesses %q, says: %s", f.Verdict, f.Weaknesses, f.Reason)
	}
}
