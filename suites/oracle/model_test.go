package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// began is a whole hour, so that epoch windows of 10 s end at 10 s, 20 s, ….
func TestRulesByDeclaredModel(t *testing.T) {
	fail := func(reason string) want { return want{reports.Fail, reports.Limiter, reason} }
	pass := want{verdict: reports.Pass}
	for _, c := range []struct {
		name  string
		model WindowModel
		hits  []string
		edit  func(*Question)
		wants map[string]want
	}{
		{
			name: "a full quota on either side of an end", model: Epoch, hits: []string{"A9000+1", "A9002+1", "D9004+1", "A10050+1", "A10052+1", "D10054+1"},
			wants: map[string]want{NoOverrun: pass, NoUnderrun: pass, NoEarlyReset: pass, Resets: pass, InOrder: pass},
		},
		{
			name: "one too many before the end", model: Epoch, hits: []string{"A1000+1", "A9000+1", "A9980+1"},
			wants: map[string]want{NoOverrun: fail("window 1, opened at -6ms, admitted 3 of 2 hits"), NoEarlyReset: fail("13ms before window 1")},
		},
		{
			name: "windows that begin with a hit", model: Epoch, hits: []string{"A5000+1", "A9000+1", "D10100+1", "D14000+1", "A15200+1"},
			wants: map[string]want{
				NoUnderrun: fail(`declared is window model "epoch", and the hits fit "first-hit" and "sliding"`),
				Resets:     fail("2 hits were denied after the window had ended, the first at 10.1s, 94ms after window 1, opened by 6ms"),
			},
		},
		{
			name: "a hit under way at the end may be in either", model: Epoch, hits: []string{"A8000+1", "A9998+9", "A10010+1", "A10012+1", "D10020+1"},
			wants: map[string]want{NoOverrun: pass, NoUnderrun: pass},
		},
		{
			name: "of hits under way at the end no more than both windows hold", model: Epoch, edit: overlapped,
			hits:  []string{"A8000+1", "A9998+9", "A9998+10", "A9998+11", "A10010+1"},
			wants: map[string]want{NoOverrun: fail("window 2, opened at 9.994s, admitted 3 of 2 hits")},
		},
		{
			name: "a clock that may be wrong by a second", model: Epoch, hits: []string{"A9000+1", "A9002+1", "A9004+1"},
			edit:  func(q *Question) { q.ClockDoubt = sec },
			wants: map[string]want{NoOverrun: {reason: "no window was put to the test"}},
		},
		{
			name: "no wall clock", model: Epoch, hits: full, edit: func(q *Question) { q.Began = time.Time{} },
			wants: map[string]want{NoOverrun: {reason: "has no wall clock"}},
		},
		{
			name: "counts from before explain until the end", model: Epoch, hits: []string{"D9000+1", "D12000+1"}, edit: stale,
			wants: map[string]want{NoUnderrun: fail("1 hit was denied too early, at 12s")},
		},
		{
			name: "forgotten one by one", model: Sliding, hits: []string{"A0+1", "A5000+1", "D9900+1", "A10050+1", "D10060+1", "A15050+1"},
			wants: map[string]want{NoOverrun: pass, NoUnderrun: pass, NoEarlyReset: pass, Resets: pass, InOrder: pass},
		},
		{
			name: "a burst at the border", model: Sliding, hits: []string{"A0+1", "A9000+1", "A10050+1", "A10060+1", "D10070+1"},
			wants: map[string]want{
				NoOverrun:    fail("3 of 2 hits were admitted in less than 10s, from 9s on"),
				NoEarlyReset: fail(`1 hit was admitted while the quota of 2 was used, of 3 in less than 10s from 9s on; the limiter answered all 4 (its authorized_calls +4); declared is window model "sliding", and the hits fit "first-hit"`),
			},
		},
		{
			name: "forgotten too late", model: Sliding, hits: []string{"A0+1", "A5000+1", "D10060+1", "A15050+1"},
			wants: map[string]want{NoUnderrun: fail("denied too early"), Resets: fail("denied after the window had ended")},
		},
		{
			name: "a slow hit beyond the quota", model: Sliding, hits: []string{"A0+1", "A4000+1", "A8000+3000"}, edit: overlapped,
			wants: map[string]want{NoOverrun: {reason: "hits beyond the quota were under way for long"}},
		},
		{
			name: "a hit without an answer beyond the quota", model: Sliding, hits: []string{"A0+1", "A4000+1", "L8000+1", "D8500+1"},
			edit:  func(q *Question) { q.After.Gateway.Errors = 1 },
			wants: map[string]want{NoOverrun: {reason: "1 hit without an answer may have been too"}},
		},
		{
			name: "rules about first hits", model: Sliding, hits: full,
			wants: map[string]want{ResetTold: {reason: `is about window model "first-hit", and "sliding" is declared`}},
		},
		{
			name: "a sliding limiter that is declared first-hit", model: FirstHit, hits: []string{"A0+1", "A9000+1", "A10050+1", "D10060+1", "D18000+1", "A19050+1"},
			wants: map[string]want{NoUnderrun: fail(`declared is window model "first-hit", and the hits fit "sliding"`)},
		},
		{
			name: "a limiter that fits no model", model: FirstHit, hits: []string{"A84+1", "A86+1", "A88+1"},
			wants: map[string]want{NoOverrun: fail("its authorized_calls +3)")},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := question(entries, limitOf(2, 10*sec))
			q.Model = c.model
			if c.edit != nil {
				c.edit(&q)
			}
			for rule, w := range c.wants {
				f := ruleNamed(t, rule).Judge(q, entries)
				w.check(t, f)
				if strings.Contains(f.Reason, "declared is") && c.name == "a limiter that fits no model" {
					t.Errorf("%s names another model: %s", rule, f.Reason)
				}
			}
		})
	}
}

// borders fires at the borders of windows, where models differ: a hit, the rest
// of the quota late in the window, and a quota just after its end, and this
// from several moments of an epoch window.
func borders(rng *rand.Rand, window time.Duration, quota int) *volley {
	v := &volley{rng: rng, sent: map[string]int{}, tied: map[string]bool{}}
	for i := range 4 {
		who := fmt.Sprintf("premium/user%d", i)
		begin := time.Duration(i) * (3*window + window/4)
		v.now = begin
		v.oneByOne(who, 1)
		v.now = begin + window*9/10
		v.oneByOne(who, quota)
		v.now = begin + window + 250*ms
		v.oneByOne(who, quota+1)
		v.now = begin + 2*window - 500*ms
		v.oneByOne(who, quota)
	}
	return v
}

// TestModelsAreToldApart fires the same schedule at limiters of each model,
// declared to be of each: only those that are what they are declared to be pass.
func TestModelsAreToldApart(t *testing.T) {
	limits := []tier.Limit{limitOf(10, 10*sec)}
	rules := []string{NoOverrun, NoUnderrun, InOrder, NoEarlyReset, Resets}
	for _, actual := range WindowModels() {
		for _, declared := range WindowModels() {
			failed, named := 0, 0
			const seeds = 50
			for seed := range uint64(seeds) {
				rng := rand.New(rand.NewPCG(seed, 3))
				v := borders(rng, limits[0].Window, int(limits[0].Quota))
				of := map[string][]tier.Limit{}
				for who := range v.sent {
					of[who] = limits
				}
				w := newWorld(rng, of)
				w.model, w.began = actual, began.Add(time.Duration(rng.Int64N(int64(time.Hour))))
				before := w.snapshot(conditions{Users: true}, nil)
				entries := w.run(v.shots)
				after := w.snapshot(conditions{Users: true}, v.shots)
				var findings []reports.Finding
				for who := range v.sent {
					_, name, _ := strings.Cut(who, "/")
					findings = append(findings, Judge(Question{
						Rules: rules, Model: declared, Alone: true, Began: w.began, Before: before, After: after,
						Subject: Subject{Identity: who, Name: name, Limits: limits, Fresh: true},
						Attacks: []Attack{{Name: who, Planned: v.sent[who], OneAtATime: true}},
					}, entries)...)
				}
				if at := slices.IndexFunc(findings, func(f reports.Finding) bool { return f.Verdict == reports.Fail }); at >= 0 {
					failed++
					if declared == actual {
						t.Errorf("%s: %s", actual, findings[at].Reason)
					}
				}
				if slices.ContainsFunc(findings, func(f reports.Finding) bool {
					return strings.Contains(f.Reason, fmt.Sprintf("declared is window model %q, and the hits fit", declared)) && strings.Contains(f.Reason, fmt.Sprintf("%q", actual))
				}) {
					named++
				}
			}
			if declared != actual && (failed < seeds || named < seeds*9/10) {
				t.Errorf("%s declared as %s: failed in %d of %d, named in %d", actual, declared, failed, seeds, named)
			}
		}
	}
}

// A policy may declare a window of no length; by the clock it has no epoch.
func TestWindowsOfNoLengthHaveNoEpoch(t *testing.T) {
	for _, model := range WindowModels() {
		entries := ledger(t, "A84+1", "D86+1", "D88+1")
		q := question(entries, limitOf(1, 10*sec), limitOf(1, 0))
		q.Model, q.Subject.Fresh = model, false
		for _, r := range All() {
			q.Rules = append(q.Rules, r.Name)
		}
		if findings := Judge(q, entries); len(findings) != len(q.Rules)+1 {
			t.Errorf("%s: %d findings for %d rules", model, len(findings), len(q.Rules))
		}
	}
}
