package oracle

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// brokenLimiters are the 29 of cases.md section 4, with the rule that must
// fail and the component that it must blame.
var brokenLimiters = []struct {
	name      string
	fault     fault
	rule      string
	component reports.Component
}{
	{"off by one, high", fault{quota: plus(1)}, NoOverrun, reports.Limiter},
	{"off by one, low", fault{quota: plus(-1)}, NoUnderrun, reports.Limiter},
	{"never limits", fault{never: true}, NoOverrun, reports.Limiter},
	{"always limits", fault{always: true}, NoUnderrun, reports.Limiter},
	{"one counter for all users of a tier", fault{key: byTier}, NoUnderrun, reports.Limiter},
	{"counter keyed per model by mistake", fault{key: byModel}, NoOverrun, reports.Limiter},
	{"two unshared replicas (2L)", fault{key: byReplica}, NoOverrun, reports.Limiter},
	{"premium gets the free limit", fault{quota: tierGets("premium", 2)}, NoUnderrun, reports.Limiter},
	{"premium gets the enterprise limit", fault{quota: tierGets("premium", 50)}, NoOverrun, reports.Limiter},
	{"one user of the tier unlimited", fault{quota: tierGets("premium/premiumuser2", 1<<40)}, NoOverrun, reports.Limiter},
	{"window half as long", fault{window: times(0.5)}, NoEarlyReset, reports.Limiter},
	{"window twice as long", fault{window: times(2)}, Resets, reports.Limiter},
	{"window never resets", fault{window: times(1e6)}, Resets, reports.Limiter},
	{"window 10 % short", fault{window: times(0.9)}, NoEarlyReset, reports.Limiter},
	{"window 10 % long", fault{window: times(1.1)}, Resets, reports.Limiter},
	{"denials extend the window", fault{extend: true}, Resets, reports.Limiter},
	{"first hit of a window not counted", fault{skipFirst: true}, NoOverrun, reports.Limiter},
	{"one user's reset wipes everybody", fault{wipe: true}, NoEarlyReset, reports.Limiter},
	{"counters evicted after 3 users", fault{evictAfter: 3}, NoOverrun, reports.Limiter},
	{"check-then-act race, 4 ms", fault{race: 4 * ms}, NoOverrun, reports.Limiter},
	{"check-then-act race, 20 ms", fault{race: 20 * ms}, NoOverrun, reports.Limiter},
	{"fails open for 3 % of calls", fault{leak: 33}, NoOverrun, reports.Limiter},
	{"denies 2 % at random", fault{flaky: 50}, InOrder, reports.Limiter},
	{"denial sent as 503", fault{deny503: true}, DenialsAre429, reports.Gateway},
	{"denied request reaches the backend", fault{deniedReach: true}, BackendAgrees, reports.Gateway},
	{"authorised metric doubled", fault{twice: true}, Reconciled, reports.Limiter},
	{"limited metric missing", fault{noLimited: true}, Reconciled, reports.Limiter},
	{"denied counted as authorised", fault{deniedAuthorized: true}, Reconciled, reports.Limiter},
	{"user label swapped between two users", fault{swap: [2]string{"premium/premiumuser1", "premium/premiumuser2"}}, Reconciled, reports.Limiter},
}

func plus(n int64) func(string, int64) int64 {
	return func(_ string, quota int64) int64 { return quota + n }
}

func tierGets(prefix string, quota int64) func(string, int64) int64 {
	return func(identity string, own int64) int64 {
		if strings.HasPrefix(identity, prefix) {
			return quota
		}
		return own
	}
}

func times(factor float64) func(time.Duration) time.Duration {
	return func(w time.Duration) time.Duration { return time.Duration(float64(w) * factor) }
}

func byTier(s shot) string    { name, _, _ := strings.Cut(s.identity, "/"); return name }
func byModel(s shot) string   { return fmt.Sprintf("%s %d", s.identity, s.model) }
func byReplica(s shot) string { return fmt.Sprintf("%s %d", s.identity, s.seq%2) }

// smoke is what one smoke case fires, by identity in order of time.
type smoke struct {
	name   string
	window time.Duration
	plan   func(*volley)
	// untold are the rules about which this schedule tells nothing.
	untold []string
}

// smokes are the schedules of the smoke lane.
var smokes = []smoke{
	{"B01-B04: tiers in turn, one at a time", 2 * time.Minute, func(v *volley) {
		// Every identity sends another number, so that swapped labels show.
		v.inTurn(map[string]int{
			"free/freeuser1": 5, "free/freeuser2": 6, "premium/premiumuser1": 15, "premium/premiumuser2": 17, "enterprise/enterpriseuser1": 55,
		})
	}, []string{Resets}},
	{"C01: burst of 60", 2 * time.Minute, func(v *volley) { v.burst("premium/premiumuser1", 60) }, []string{InOrder, NoEarlyReset, Resets}},
	{"W01, W02: before and after a twin window's end", 10 * sec, func(v *volley) {
		v.oneByOne("premium/premiumuser1", 10)
		v.at(10*sec - 500*ms)
		v.oneByOne("premium/premiumuser1", 1)
		v.at(10*sec + 250*ms)
		v.oneByOne("premium/premiumuser1", 12)
	}, nil},
	{"W06: two users half a window apart", 10 * sec, func(v *volley) {
		v.oneByOne("premium/premiumuser1", 11)
		v.at(5 * sec)
		v.oneByOne("premium/premiumuser2", 12)
		v.at(10*sec + 250*ms)
		v.oneByOne("premium/premiumuser1", 11)
		v.oneByOne("premium/premiumuser2", 2)
	}, []string{Resets}},
	{"B11: 150 denied", 2 * time.Minute, func(v *volley) { v.oneByOne("premium/premiumuser1", 160) }, []string{Resets}},
}

var quotas = map[string]int64{"free": 2, "premium": 10, "enterprise": 50}

// volley plans shots in virtual time.
type volley struct {
	rng   *rand.Rand
	now   time.Duration
	start time.Duration
	shots []shot
	sent  map[string]int
	tied  map[string]bool // identities that sent a burst
}

// at waits until a time since the first hit.
func (v *volley) at(t time.Duration) { v.now = v.start + t }

func (v *volley) fire(identity string) {
	latency := time.Duration(1+v.rng.IntN(4000)) * time.Microsecond
	decided := v.now + time.Duration(v.rng.Int64N(int64(latency)))
	n := v.sent[identity]
	v.sent[identity]++
	v.shots = append(v.shots, shot{
		identity: identity, attack: identity, seq: uint64(n), model: n % 2,
		sent: v.now, decided: decided, received: v.now + latency,
	})
}

func (v *volley) oneByOne(identity string, hits int) {
	for range hits {
		v.fire(identity)
		v.now = v.shots[len(v.shots)-1].received + 100*time.Microsecond
	}
}

func (v *volley) inTurn(hits map[string]int) {
	for round := range slices.Max(slices.Collect(maps.Values(hits))) {
		for _, identity := range slices.Sorted(maps.Keys(hits)) {
			if round < hits[identity] {
				v.oneByOne(identity, 1)
			}
		}
	}
}

func (v *volley) burst(identity string, hits int) {
	v.tied[identity] = true
	for range hits {
		v.fire(identity)
	}
}

// play fires a schedule at a world with a fault and judges every identity.
func (s smoke) play(f fault, seed uint64) (findings []reports.Finding) {
	rng := rand.New(rand.NewPCG(seed, 2))
	v := &volley{rng: rng, now: 84 * ms, start: 84 * ms, sent: map[string]int{}, tied: map[string]bool{}}
	s.plan(v)
	limits := map[string][]tier.Limit{}
	for identity := range v.sent {
		name, _, _ := strings.Cut(identity, "/")
		l := limitOf(quotas[name], s.window)
		l.Name = name
		limits[identity] = []tier.Limit{l}
	}
	w := newWorld(rng, limits)
	w.fault = f
	c := conditions{Users: true, Alone: true}
	before := w.snapshot(c, nil)
	entries := w.run(v.shots)
	after := w.snapshot(c, v.shots)
	for _, identity := range slices.Sorted(maps.Keys(v.sent)) {
		_, name, _ := strings.Cut(identity, "/")
		findings = append(findings, Judge(Question{
			Rules: judgedOnCorrect, Model: FirstHit, Alone: true, Began: began, Before: before, After: after,
			Subject: Subject{Identity: identity, Name: name, Limits: limits[identity], Fresh: true},
			Attacks: []Attack{{Name: identity, Planned: v.sent[identity], OneAtATime: !v.tied[identity]}},
		}, entries)...)
	}
	return findings
}

// TestBrokenLimitersAreFailedByTheirRule fires the smoke schedules up to five
// times: two of the faults strike at random.
func TestBrokenLimitersAreFailedByTheirRule(t *testing.T) {
	if len(brokenLimiters) != 29 {
		t.Fatalf("%d broken limiters, cases.md names 29", len(brokenLimiters))
	}
	for _, broken := range brokenLimiters {
		t.Run(broken.name, func(t *testing.T) {
			var said []string
			for i := range 5 * len(smokes) {
				s, seed := smokes[i%len(smokes)], uint64(i/len(smokes))
				for _, f := range s.play(broken.fault, seed) {
					if f.Verdict != reports.Fail {
						continue
					}
					if f.Rule == broken.rule && f.Component == broken.component {
						t.Logf("%s, %s: %s", s.name, f.Subject, f.Reason)
						return
					}
					said = append(said, fmt.Sprintf("%s %s %s: %s", s.name, f.Rule, f.Component, f.Reason))
				}
			}
			t.Errorf("no %s blames the %s; failed were:\n%s", broken.rule, broken.component, strings.Join(said, "\n"))
		})
	}
}

func TestCorrectLimiterPassesTheSmokeSchedules(t *testing.T) {
	for _, s := range smokes {
		for seed := range uint64(20) {
			for _, f := range s.play(fault{}, seed) {
				untold := f.Verdict == reports.Inconclusive && slices.Contains(s.untold, f.Rule)
				if f.Verdict != reports.Pass && !untold {
					t.Errorf("%s: %s of %s is %s on a correct limiter: %s", s.name, f.Rule, f.Subject, f.Verdict, f.Reason)
				}
			}
		}
	}
}
