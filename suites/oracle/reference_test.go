package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// schedule is a policy and volleys of hits, each of which meets some of its limits.
type schedule struct {
	seed    uint64
	limits  []tier.Limit
	volleys []plannedVolley
	latency time.Duration
	losses  bool
	races   bool
	fault   fault
	anchors bool
}

type plannedVolley struct {
	hits     int
	together bool
	after    time.Duration
	meets    []int
}

func drawSchedule(t *rapid.T) schedule {
	s := schedule{
		seed:    rapid.Uint64().Draw(t, "seed"),
		latency: time.Duration(rapid.SampledFrom([]int{1, 3, 20, 150, 700}).Draw(t, "latency")) * ms,
		losses:  rapid.IntRange(0, 2).Draw(t, "losses") == 0,
		races:   rapid.IntRange(0, 3).Draw(t, "races") == 0,
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "limits") {
		l := limitOf(int64(rapid.IntRange(0, 6).Draw(t, "quota")), time.Duration(rapid.IntRange(1, 4).Draw(t, "window"))*sec)
		l.Name = fmt.Sprintf("limit-%d", i)
		s.limits = append(s.limits, l)
	}
	for range rapid.IntRange(1, 8).Draw(t, "volleys") {
		v := plannedVolley{
			hits: rapid.IntRange(1, 5).Draw(t, "hits"), together: rapid.Bool().Draw(t, "together"),
			after: time.Duration(rapid.SampledFrom([]int{0, 0, 1, 500, 990, 1000, 1010, 2100}).Draw(t, "after")) * ms,
		}
		for i := range s.limits {
			if rapid.IntRange(0, 2).Draw(t, "meets") > 0 {
				v.meets = append(v.meets, i)
			}
		}
		s.volleys = append(s.volleys, v)
	}
	return s
}

// fired are the question about the schedule and the ledger of a simulated limiter.
func (s schedule) fired() (Question, []evidence.Entry) {
	rng := rand.New(rand.NewPCG(s.seed, 2))
	w := newWorld(rng, nil)
	w.byAttack, w.fault, w.anchors, w.races = map[string][]tier.Limit{}, s.fault, s.anchors, s.races
	w.drift = (rng.Float64()*2 - 1) * 40e-6
	q := Question{
		Model: FirstHit, Alone: true, Began: began,
		Subject: Subject{Identity: "premium/alice", Name: "alice", Limits: s.limits, Fresh: true},
		Want:    Want{Reference: &Reference{Limits: s.limits, Draws: map[string][]Draw{}}},
	}
	before := w.snapshot(conditions{Users: true}, nil)
	now := time.Duration(0)
	var shots []shot
	for n, v := range s.volleys {
		name := fmt.Sprintf("v%d", n+1)
		q.Attacks = append(q.Attacks, Attack{Name: name, Planned: v.hits, OneAtATime: !v.together})
		for _, i := range v.meets {
			w.byAttack[name] = append(w.byAttack[name], s.limits[i])
			q.Want.Reference.Draws[name] = append(q.Want.Reference.Draws[name], Draw{i, "alice"})
		}
		now += v.after
		end := now
		for seq := range v.hits {
			took := time.Duration(rng.Int64N(int64(s.latency))) + 10*us
			one := shot{identity: "premium/alice", attack: name, seq: uint64(seq), sent: now, received: now + took}
			one.decided = now + time.Duration(rng.Int64N(int64(took)))
			if s.losses && rng.IntN(6) == 0 {
				one.fate = []fate{lostBefore, lostAfter, late500, backendError}[rng.IntN(4)]
			}
			end = max(end, one.received)
			if !v.together {
				now = one.received + 10*us
			}
			shots = append(shots, one)
		}
		now = end + 10*us
	}
	entries := w.run(shots)
	q.Before, q.After = before, w.snapshot(conditions{Users: true}, shots)
	return q, entries
}

const us = time.Microsecond

func asModelled(s schedule) reports.Finding {
	q, entries := s.fired()
	q.Rules = []string{AsModelled}
	return Judge(q, entries)[1]
}

func TestTheReferenceModelNeverAccusesACorrectLimiter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchedule(t)
		if f := asModelled(s); f.Verdict == reports.Fail {
			t.Fatalf("%+v\n%s", s, f.Reason)
		}
	})
}

// TestTheReferenceModelFindsDefects holds how many of random schedules find each
// defect: a lane fires hundreds, and one that finds it is enough.
func TestTheReferenceModelFindsDefects(t *testing.T) {
	quota := func(by int64) fault {
		return fault{quota: func(_ string, q int64) int64 { return max(0, q+by) }}
	}
	length := func(share float64) fault {
		return fault{window: func(d time.Duration) time.Duration { return time.Duration(share * float64(d)) }}
	}
	for _, c := range []struct {
		name     string
		spoil    func(*schedule)
		atLeast  float64
		says     string
		blamesIt reports.Component
	}{
		{"off by one, high", func(s *schedule) { s.fault = quota(1) }, 0.3, "", reports.Limiter},
		{"off by one, low", func(s *schedule) { s.fault = quota(-1) }, 0.3, "", reports.Limiter},
		{"windows half as long", func(s *schedule) { s.fault = length(0.5) }, 0.1, "", reports.Limiter},
		{"windows twice as long", func(s *schedule) { s.fault = length(2) }, 0.1, "", reports.Limiter},
		{"one counter for every limit", func(s *schedule) {
			s.fault = fault{key: func(shot) string { return "all" }}
			for i := range s.limits {
				s.limits[i].Name = "same"
			}
		}, 0.2, "", reports.Limiter},
		{"a refused call opens windows", func(s *schedule) { s.anchors = true }, 0.004, "(W14)", reports.Limiter},
		{"denials extend the window", func(s *schedule) { s.fault = fault{extend: true} }, 0.02, "", reports.Limiter},
		{"first hits uncounted", func(s *schedule) { s.fault = fault{skipFirst: true} }, 0.2, "", reports.Limiter},
	} {
		t.Run(c.name, func(t *testing.T) {
			const tried = 2000
			found, said := 0, false
			generator := rapid.Custom(drawSchedule)
			for n := range tried {
				s := generator.Example(n)
				s.races, s.losses = false, false
				c.spoil(&s)
				f := asModelled(s)
				if f.Verdict != reports.Fail {
					continue
				}
				found++
				said = said || strings.Contains(f.Reason+f.Attribution, c.says)
				if f.Component != c.blamesIt {
					t.Fatalf("blames %q: %s", f.Component, f.Reason)
				}
			}
			if share := float64(found) / tried; share < c.atLeast || !said {
				t.Errorf("found by %.1f %% of the schedules, want %.1f %%, saying %q: %t", 100*share, 100*c.atLeast, c.says, said)
			} else {
				t.Logf("found by %.1f %% of the schedules", 100*share)
			}
		})
	}
}

// TestHitsThatNoLimitAppliesToBlameNobody keeps the limiter's account, which does not
// hold them, from looking like the gateway's omission.
func TestHitsThatNoLimitAppliesToBlameNobody(t *testing.T) {
	s := schedule{seed: 1, latency: 3 * ms, limits: []tier.Limit{limitOf(2, 4*sec)}, volleys: []plannedVolley{
		{hits: 5}, {hits: 4, meets: []int{0}},
	}}
	if f := asModelled(s); f.Verdict != reports.Pass {
		t.Fatalf("%s: %s", f.Verdict, f.Reason)
	}
	s.fault = fault{quota: func(_ string, q int64) int64 { return q + 1 }}
	q, entries := s.fired()
	q.Rules = []string{AsModelled}
	f := Judge(q, entries)[1]
	if f.Verdict != reports.Fail || f.Component != reports.Limiter || !strings.HasPrefix(f.Reason, "v2: of 1 hit at ") {
		t.Fatalf("%s, blames %q: %s", f.Verdict, f.Component, f.Reason)
	}
}

// TestEntriesFromBeforeTheBooksDoNotCount keeps a question whose books were opened in
// the midst of a case from setting hits of before against them.
func TestEntriesFromBeforeTheBooksDoNotCount(t *testing.T) {
	s := schedule{seed: 1, latency: 3 * ms, limits: []tier.Limit{limitOf(2, 60*sec)}, volleys: []plannedVolley{{hits: 4, after: 5 * sec, meets: []int{0}}}}
	s.fault = fault{quota: func(_ string, q int64) int64 { return q + 1 }}
	q, entries := s.fired()
	q.Rules, q.Subject.Identity, q.Subject.Name = []string{AsModelled}, "", ""
	q.Before.At, q.After.At = began.Add(4*sec), began.Add(9*sec)
	earlier := entries[0]
	earlier.Attack, earlier.Hit, earlier.Sent, earlier.Received = "earlier", "h", sec, sec+ms
	f := Judge(q, append([]evidence.Entry{earlier}, entries...))[1]
	if f.Verdict != reports.Fail || f.Component != reports.Limiter {
		t.Fatalf("%s, blames %q: %s", f.Verdict, f.Component, f.Reason)
	}
}

// TestRefusalsThatOpenWindowsCanBeDeclared lets a lane of random trials find more than
// what is known of a release.
func TestRefusalsThatOpenWindowsCanBeDeclared(t *testing.T) {
	generator := rapid.Custom(drawSchedule)
	found := 0
	for n := range 2000 {
		s := generator.Example(n)
		s.races, s.losses, s.anchors = false, false, true
		q, entries := s.fired()
		q.Rules = []string{AsModelled}
		if f := Judge(q, entries)[1]; f.Verdict != reports.Fail {
			continue
		}
		found++
		q.Declared = []string{weakness.RefusalsOpenWindows}
		if f := Judge(q, entries)[1]; f.Verdict != reports.Pass || !slices.Contains(f.Weaknesses, weakness.RefusalsOpenWindows) {
			t.Fatalf("%s: %s", f.Verdict, f.Reason)
		}
	}
	if found == 0 {
		t.Error("no schedule met the weakness")
	}
}
