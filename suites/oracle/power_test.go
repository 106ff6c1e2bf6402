package oracle

import (
	"math"
	"slices"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
)

func TestSmallest(t *testing.T) {
	for hits, want := range map[int]float64{299: 0.01, 2995: 0.001, 1: 0.95, 0: 1} {
		if got := Smallest(hits); math.Abs(got-want) > want/100 {
			t.Errorf("%d hits: %.4f, want %.4f", hits, got, want)
		}
	}
}

func TestDefectsAreOfRules(t *testing.T) {
	for _, d := range Defects() {
		if !slices.ContainsFunc(All(), func(r Rule) bool { return r.Name == d.Rule }) {
			t.Errorf("%s is no rule", d.Rule)
		}
	}
}

// TestPowerIsWhatIsMeasured breaks the simulated system at the smallest rate that
// a rule is said to find, and at a third of it, and counts how often the rule
// fails: as often as is said, neither less nor much more.
func TestPowerIsWhatIsMeasured(t *testing.T) {
	const rounds = 300
	b11 := smokes[slices.IndexFunc(smokes, func(s smoke) bool { return s.name == "B11: 150 denied" })]
	for _, c := range []struct {
		rule  string
		hits  int
		fault func(share float64) fault
	}{
		{NoOverrun, 150, func(share float64) fault { return fault{rare: rare{leak: share}} }},
		{NoUnderrun, 10, func(share float64) fault { return fault{rare: rare{deny: share}} }},
		{InOrder, 10, func(share float64) fault { return fault{rare: rare{deny: share}} }},
		{DenialsAre429, 150, func(share float64) fault { return fault{rare: rare{other: share}} }},
		{Reconciled, 160, func(share float64) fault { return fault{rare: rare{unbooked: share}} }},
		{BackendAgrees, 150, func(share float64) fault { return fault{rare: rare{stray: share}} }},
		{Served, 10, func(share float64) fault { return fault{rare: rare{fail: share}} }},
	} {
		for _, part := range []float64{1, 1.0 / 3} {
			share := Smallest(c.hits) * part
			want := 1 - math.Pow(1-share, float64(c.hits))
			found := 0
			for seed := range uint64(rounds) {
				if slices.ContainsFunc(b11.play(c.fault(share), seed), func(f reports.Finding) bool {
					return f.Rule == c.rule && f.Verdict == reports.Fail
				}) {
					found++
				}
			}
			rate, spread := float64(found)/rounds, 4*math.Sqrt(want*(1-want)/rounds)
			t.Logf("%s: a share of %.4f of %d hits was found in %.3f of %d, said %.3f", c.rule, share, c.hits, rate, rounds, want)
			if math.Abs(rate-want) > spread {
				t.Errorf("%s: a share of %.4f of %d hits was found in %.3f of %d runs, want %.3f ± %.3f", c.rule, share, c.hits, rate, rounds, want, spread)
			}
		}
	}
}

// The windows of W01 and W02 are probed half a second before and a quarter of a
// second after their ends.
func TestSampleOfWindows(t *testing.T) {
	entries := ledger(t, "A0+1", "A2+1", "D4+1", "D9500+1", "A10250+1", "A10252+1", "D10254+1")
	q := question(entries, limitOf(2, 10*sec))
	q.Rules = []string{NoEarlyReset, Resets, NoOverrun}
	s := NewSample()
	s.Add(q, entries)
	if s.Hits[NoOverrun] != 3 || math.Abs(s.Shorter-0.0501) > 1e-9 || math.Abs(s.Longer-0.0251) > 1e-9 {
		t.Errorf("sample %+v", s)
	}
}
