package oracle

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// crowdOf makes entries of many identities, each with an attack of its own.
func crowdOf(t *testing.T, members ...[]string) (entries []evidence.Entry, attacks []Attack) {
	t.Helper()
	for i, hits := range members {
		mine := ledger(t, hits...)
		for j := range mine {
			e := &mine[j]
			e.Identity, e.Attack = fmt.Sprintf("premium/m%02d", i), fmt.Sprintf("m%d", i)
			e.Hit = fmt.Sprintf("hit-%d-%d", i, j)
		}
		entries = append(entries, mine...)
		attacks = append(attacks, Attack{Name: fmt.Sprintf("m%d", i), Planned: len(mine), OneAtATime: true})
	}
	return entries, attacks
}

type crowdCase struct {
	members [][]string
	edit    func(*Question)
	want    want
}

// run judges a rule on a crowd whose limit is 2 hits / 10s.
func (c crowdCase) run(t *testing.T, rule string) {
	t.Helper()
	entries, attacks := crowdOf(t, c.members...)
	q := question(entries, limitOf(2, 10*sec))
	q.Subject.Identity, q.Subject.Name, q.Attacks = "", "", attacks
	for i, hits := range c.members {
		calls := evidence.Calls{}
		for _, hit := range hits {
			switch hit[0] {
			case 'A':
				calls.Authorized++
				calls.Hits++
			case 'D':
				calls.Limited++
			}
		}
		q.After.Limiter.Users[fmt.Sprintf("m%02d", i)] = calls
	}
	if c.edit != nil {
		c.edit(&q)
	}
	c.want.check(t, ruleNamed(t, rule).Judge(q, entries))
}

// underCeiling adds a limit of everybody's.
func underCeiling(q *Question) {
	all := limitOf(1, 3*sec)
	all.Name, all.Counters = "everybody", nil
	q.Subject.Limits = append(q.Subject.Limits, all)
}

func sharedByAll(q *Question) { q.Subject.Limits[0].Counters = nil }

func TestOwnQuota(t *testing.T) {
	sound := []string{"A1+1", "A100+1", "D200+1"}
	for name, c := range map[string]crowdCase{
		"each its own":       {members: [][]string{sound, sound, sound}, want: want{verdict: reports.Pass, reason: "each of 3 identities was admitted its quota of 2"}},
		"under a ceiling":    {members: [][]string{sound, sound, sound}, edit: underCeiling, want: want{verdict: reports.Pass, reason: "each of 3 identities was admitted its quota of 2"}},
		"ceiling denies":     {members: [][]string{sound, {"A1+1", "D100+1", "D200+1"}}, edit: underCeiling, want: want{reason: "for 1 of 2 identities it was not seen"}},
		"past its own quota": {members: [][]string{sound, {"A1+1", "A100+1", "A200+1"}}, edit: underCeiling, want: want{reports.Fail, reports.Limiter, "3 of 2 hits of premium/m01"}},
		"a fresh quota":      {members: [][]string{sound, {"A1+1", "A100+1", "A200+1"}}, want: want{reports.Fail, reports.Limiter, "3 of 2 hits of premium/m01, one of 2 identities"}},
		"another's counter":  {members: [][]string{sound, {"A1+1", "D100+1", "D200+1"}}, want: want{reports.Fail, reports.Limiter, "premium/m01, one of 2 identities, was denied after 1 of 2 hits"}},
		"unheard":            {members: [][]string{{"A1+1", "A100+1", "A200+1"}}, edit: unheardOf("m00"), want: want{reports.Fail, reports.Gateway, "the limiter was not heard for 1 of 3"}},
		"a hit was lost":     {members: [][]string{sound, {"A1+1", "L100+1", "D200+1"}}, want: want{reason: "for 1 of 2 identities it was not seen"}},
		"a window ended":     {members: [][]string{{"A1+1", "A100+1", "A10200+1"}}, want: want{reason: "for 1 of 1 identities it was not seen"}},
		"never denied":       {members: [][]string{{"A1+1", "A100+1"}}, want: want{reason: "it was not seen that the quota of 2 is used up"}},
		"not fresh":          {members: [][]string{sound}, edit: stale, want: want{reason: "may have been live"}},
		"one counter":        {members: [][]string{sound}, edit: sharedByAll, want: want{reason: "everybody draws on one counter"}},
		"tokens limited too": {members: [][]string{sound}, edit: tokensToo, want: want{reason: "a limit on tokens applies too"}},
	} {
		t.Run(name, func(t *testing.T) { c.run(t, OwnQuota) })
	}
}

func TestCountedAtOnce(t *testing.T) {
	for name, c := range map[string]crowdCase{
		"denied at once":      {members: [][]string{{"A1+1", "A3+1", "D5+1"}, {"A1+1", "A3+1", "D400+1"}}, want: want{verdict: reports.Pass, reason: "1 hit left within 2ms"}},
		"admitted at once":    {members: [][]string{{"A1+1", "A3+1", "D5+1"}, {"A1+1", "A3+1", "A6+1"}}, want: want{reports.Fail, reports.Limiter, "entry 6 of premium/m01 left 2ms after the answer that used up the quota of 2, and was admitted"}},
		"unheard":             {members: [][]string{{"A1+1", "A3+1", "A5+1"}}, edit: unheardOf("m00"), want: want{reports.Fail, reports.Gateway, "the limiter was not heard for 1 of 3"}},
		"too late to tell":    {members: [][]string{{"A1+1", "A3+1", "A7+1"}}, want: want{reason: "the nearest left 3ms after it"}},
		"a new window":        {members: [][]string{{"A1+1", "A3+1", "A5+9999"}}, want: want{reason: "came back in the same window"}},
		"the quota was left":  {members: [][]string{{"A1+1", "D3+1"}}, want: want{reason: "nobody fired on"}},
		"under way before it": {members: [][]string{{"A1+1", "A3+9", "A5+1"}}, want: want{reason: "nobody fired on"}},
		"not fresh":           {members: [][]string{{"A1+1", "A3+1", "A5+1"}}, edit: stale, want: want{reason: "may have been live"}},
		"one counter":         {members: [][]string{{"A1+1", "A3+1", "A5+1"}}, edit: sharedByAll, want: want{reason: "everybody draws on one counter"}},
	} {
		t.Run(name, func(t *testing.T) { c.run(t, CountedAtOnce) })
	}
}

// unheardOf takes a call of one user from the limiter's book.
func unheardOf(user string) func(*Question) {
	return func(q *Question) {
		q.After.Gateway.Errors++
		q.After.Limiter.Users[user] = minus(q.After.Limiter.Users[user], evidence.Calls{Authorized: 1, Hits: 1})
	}
}

func TestBorderBurst(t *testing.T) {
	three := []tier.Limit{limitOf(3, 10*sec)}
	first := []string{"A1000+2", "A10000+2", "A10010+2"}
	for _, c := range []windowCase{
		{name: "all admitted", limits: three, hits: hits(first, []string{"A11100+2", "A11110+2", "A11120+2"}), want: want{verdict: reports.Pass, reason: "5 hits of a quota of 3 were admitted within 1.122s"}},
		{name: "sliding", limits: three, hits: hits(first, []string{"A11100+2", "D11110+2", "D11120+2"}), want: want{reports.Fail, reports.Limiter, "2 hits were denied too early"}},
		{name: "too early", limits: three, hits: hits(first, []string{"D10900+2", "D10910+2", "D10920+2"}), want: want{reason: "missed the end of the window"}},
		{name: "no burst", limits: three, hits: []string{"A1000+2", "A12010+2", "A24010+2", "A36020+2", "A48010+2"}, want: want{reason: "no burst at its border was seen"}},
		{name: "lost", limits: three, hits: hits(first, []string{"A11100+2", "L11110+2", "A11120+2"}), want: want{reason: "only 5 of 6 hits came back admitted"}},
		{name: "a quota of one", limits: []tier.Limit{limitOf(1, 10*sec)}, hits: []string{"A1+1"}, want: want{reason: "a quota of 1 leaves nothing"}},
		{name: "unheard", limits: three, hits: hits(first, []string{"A11100+2", "D11110+2"}), edit: unheardOne, want: want{reason: "may not have heard"}},
	} {
		c.run(t, BorderBurst)
	}
}

// TestAimedRulesNeverAccuse fires at a correct limiter whatever comes, and what
// the cases of these rules fire.
func TestAimedRulesNeverAccuse(t *testing.T) {
	verdicts := map[string]map[reports.Verdict]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := drawConditions(t)
		if rapid.Bool().Draw(t, "aimed") {
			c.Losses, c.Unheard, c.Limits = false, false, c.Limits[:1]
		}
		q, entries := c.trialOf()
		if c.Limits[0].Quota > 1 && rapid.Bool().Draw(t, "border") {
			q, entries = c.borderBurst(q)
		}
		if len(c.Limits) == 1 && rapid.IntRange(0, 4).Draw(t, "pressure") == 0 {
			q, entries = c.underPressure(q)
		}
		crowd := q
		crowd.Subject.Identity, crowd.Subject.Name = "", ""
		for rule, asked := range map[string]Question{BorderBurst: q, KeepsPace: q, CountedAtOnce: crowd, OwnQuota: crowd} {
			asked.Rules = []string{rule}
			f := Judge(asked, entries)[1]
			if verdicts[rule] == nil {
				verdicts[rule] = map[reports.Verdict]int{}
			}
			verdicts[rule][f.Verdict]++
			if f.Verdict == reports.Fail && (!c.Unheard || f.Component == reports.Limiter) {
				t.Fatalf("%s accuses a correct %q: %s; %s\n%+v", rule, f.Component, f.Reason, f.Attribution, c)
			}
		}
	})
	for _, rule := range []string{BorderBurst, CountedAtOnce, OwnQuota, KeepsPace} {
		t.Logf("%s: %v", rule, verdicts[rule])
		if verdicts[rule][reports.Pass] == 0 {
			t.Errorf("%s never passed: the property says nothing about it", rule)
		}
	}
}

// borderBurst is the question about one hit, the rest of the quota at the end of
// the window, and a whole quota after it.
func (c conditions) borderBurst(q Question) (Question, []evidence.Entry) {
	rng := rand.New(rand.NewPCG(c.Seed, 2))
	limit := c.Limits[0]
	w := newWorld(rng, map[string][]tier.Limit{"premium/alice": c.Limits})
	q.Attacks = []Attack{{Name: "main", Planned: int(2 * limit.Quota), OneAtATime: true}}
	var shots []shot
	now := time.Duration(rng.IntN(2000)) * ms
	for seq := range 2 * limit.Quota {
		switch seq {
		case 1:
			now += limit.Window * 9 / 10
		case limit.Quota:
			now = max(now, shots[0].received+limit.Window+time.Duration(rng.IntN(300))*ms)
		}
		shots = append(shots, c.shotAt(rng, now, uint64(seq)))
		now = shots[seq].received
	}
	return c.asked(q, w, shots)
}

// underPressure is the question about three times the quota in each of many
// windows, evenly.
func (c conditions) underPressure(q Question) (Question, []evidence.Entry) {
	rng := rand.New(rand.NewPCG(c.Seed, 3))
	limit := c.Limits[0]
	w := newWorld(rng, map[string][]tier.Limit{"premium/alice": c.Limits})
	w.races = c.Races
	hits := 14 * 3 * max(1, limit.Quota)
	q.Attacks = []Attack{{Name: "main", Planned: int(hits)}}
	var shots []shot
	for seq := range hits {
		shots = append(shots, c.shotAt(rng, time.Duration(seq)*limit.Window/time.Duration(3*max(1, limit.Quota)), uint64(seq)))
	}
	return c.asked(q, w, shots)
}

func (c conditions) shotAt(rng *rand.Rand, sent time.Duration, seq uint64) shot {
	s := shot{identity: "premium/alice", attack: "main", seq: seq, sent: sent, fate: c.fate(rng)}
	s.decided, s.received = c.decide(rng, sent)
	return s
}

// asked fires the shots at a world that nobody has used.
func (c conditions) asked(q Question, w *world, shots []shot) (Question, []evidence.Entry) {
	w.calls["premium/alice"] = evidence.Calls{}
	q.Subject.Fresh = true
	q.Before = w.snapshot(c, nil)
	entries := w.run(shots)
	q.After = w.snapshot(c, shots)
	return q, entries
}
