package oracle

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
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

// TestMain sets how many ledgers each property is checked on: 10,000, or what
// FLOODGATE_LEDGERS says.
func TestMain(m *testing.M) {
	flag.Parse()
	ledgers := cmp.Or(os.Getenv("FLOODGATE_LEDGERS"), "10000")
	if err := flag.Set("rapid.checks", ledgers); err != nil {
		fmt.Fprintln(os.Stderr, "FLOODGATE_LEDGERS:", err)
		os.Exit(2)
	}
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// conditions are what a conformant system may be like and a client may meet.
type conditions struct {
	Seed    uint64
	Limits  []tier.Limit
	Latency time.Duration
	Slow    bool // now and then a hit takes long, as a model's answer does
	Losses  bool // lost hits, failures before and behind the limiter
	Unheard bool // the limiter's answers come too late: failure mode allow
	Stale   bool // counters were live before
	Crowd   bool // others draw on counters that no identity keys
	Alone   bool
	// Visitors call beside, though the case is said to be alone; Shared is the stack
	// of an owner who said nothing of them.
	Visitors, Shared bool
	Users            bool
	// Unread names a book that could not be read.
	Unread  string
	Anchors bool
	Races   bool
	// Model is how the limiter counts, and is declared to.
	Model   WindowModel
	InTurn  bool // every hit leaves after the answer to the one before
	Attacks int
	Hits    int
}

func drawConditions(t *rapid.T) conditions {
	c := conditions{
		Seed:    rapid.Uint64().Draw(t, "seed"),
		Latency: time.Duration(rapid.SampledFrom([]int{1, 3, 20, 150}).Draw(t, "latency")) * ms,
		Slow:    rapid.Bool().Draw(t, "slow"),
		Losses:  rapid.Bool().Draw(t, "losses"),
		Stale:   rapid.IntRange(0, 4).Draw(t, "stale") == 0,
		Crowd:   rapid.IntRange(0, 4).Draw(t, "crowd") == 0,
		Unheard: rapid.IntRange(0, 3).Draw(t, "unheard") == 0,
		Alone:   rapid.Bool().Draw(t, "alone"),
		Users:   rapid.IntRange(0, 3).Draw(t, "users") > 0,
		Anchors: rapid.Bool().Draw(t, "anchors"),
		Races:   rapid.IntRange(0, 3).Draw(t, "races") == 0,
		Model:   FirstHit,
		Unread:  rapid.SampledFrom([]string{"", "", "", "limiter", "gateway", "both"}).Draw(t, "unread"),
		InTurn:  rapid.IntRange(0, 2).Draw(t, "inTurn") == 0,
		Attacks: rapid.IntRange(1, 4).Draw(t, "attacks"),
		Hits:    rapid.IntRange(1, 30).Draw(t, "hits"),
	}
	c.Alone = c.Alone && !c.Crowd
	c.Visitors = rapid.IntRange(0, 3).Draw(t, "visitors") == 0
	// Without any book that tells them apart, nobody can know of visitors.
	c.Shared = rapid.Bool().Draw(t, "shared") || c.Visitors && c.Unread != ""
	c.Users = c.Users || c.Visitors && c.Unread != ""
	for i := range rapid.IntRange(1, 3).Draw(t, "limits") {
		l := limitOf(int64(rapid.IntRange(0, 12).Draw(t, "quota")), time.Duration(rapid.IntRange(1, 6).Draw(t, "window"))*sec)
		l.Name = fmt.Sprintf("limit-%d", i)
		l.Policy = rapid.SampledFrom([]string{"llm-d/limits", "llm-d/limits", "llm-d/more"}).Draw(t, "policy")
		l.Unit = rapid.SampledFrom([]tier.Unit{tier.Hits, tier.Hits, tier.Hits, tier.Tokens}).Draw(t, "unit")
		if c.Crowd && i > 0 {
			l.Counters = nil
		}
		c.Limits = append(c.Limits, l)
	}
	return c
}

// trialOf simulates a system under these conditions, fires at it and asks.
func (c conditions) trialOf() (Question, []evidence.Entry) {
	rng := rand.New(rand.NewPCG(c.Seed, 1))
	w := newWorld(rng, map[string][]tier.Limit{"premium/alice": c.Limits, "premium/mallory": c.Limits})
	w.model, w.began = c.Model, began.Add(time.Duration(rng.Int64N(int64(time.Hour))))
	w.anchors, w.races = c.Anchors && len(c.Limits) > 1, c.Races && c.Model == FirstHit
	w.drift = (rng.Float64()*2 - 1) * 40e-6
	shots, attacks := c.shots(rng)
	q := Question{
		Case: "B02", Model: c.Model, Alone: c.Alone, Began: w.began, Attacks: attacks,
		Subject: Subject{Identity: "premium/alice", Name: "alice", Limits: c.Limits, Fresh: !c.Stale},
	}
	w.calls["premium/alice"] = evidence.Calls{Authorized: 7, Limited: 3, Hits: 7}
	before := w.snapshot(c, nil)
	if c.Stale {
		earlier := make([]shot, rng.IntN(12))
		for i := range earlier {
			earlier[i] = shot{identity: "premium/alice", decided: -time.Duration(rng.IntN(3000)) * ms, fate: stranger}
		}
		w.run(earlier)
		before = w.snapshot(c, nil)
	}
	entries := w.run(shots)
	if c.Visitors {
		w.visits = 1 + rng.Int64N(60)
		w.calls["premium/visitor"] = evidence.Calls{Authorized: w.visits / 2, Limited: w.visits - w.visits/2, Hits: w.visits / 2}
	}
	q.Shared = c.Shared
	q.Before, q.After = before, w.snapshot(c, shots)
	if c.Unread == "limiter" || c.Unread == "both" {
		q.Before.Limiter, q.After.Limiter = nil, nil
	}
	if c.Unread == "gateway" || c.Unread == "both" {
		q.Before.Gateway, q.After.Gateway = nil, nil
	}
	return q, entries
}

// snapshot reads the world's books.
func (w *world) snapshot(c conditions, shots []shot) evidence.Snapshot {
	book := &evidence.LimiterBook{Instances: []string{"limiter@1"}, Scraped: began.Add(time.Hour)}
	if c.Users {
		book.Users = map[string]evidence.Calls{}
	}
	for identity, calls := range w.calls {
		book.Total.Authorized += calls.Authorized
		book.Total.Limited += calls.Limited
		book.Total.Hits += calls.Hits
		if c.Users {
			_, name, _ := strings.Cut(identity, "/")
			book.Users[name] = calls
		}
	}
	s := evidence.Snapshot{At: began, Limiter: book, Prometheus: book, Gateway: &evidence.GatewayBook{Errors: w.errors}}
	s.Gateway.Hits += w.visits
	s.Gateway.Denied += w.visits - w.visits/2
	if shots != nil {
		// When Prometheus' sample was taken, as well.
		s.At = book.Scraped
	}
	s.Backend = &evidence.BackendBook{Hits: map[string]int{}}
	for _, shot := range shots {
		s.Gateway.Hits++
		if shot.outcome == evidence.Denied || shot.outcome == evidence.Refused || shot.fate == gateway500 {
			s.Gateway.Denied++
		}
		s.Backend.Served += int64(shot.served)
		if shot.served > 0 {
			s.Backend.Hits[shot.id()] = shot.served
		}
	}
	return s
}

// shots plans attacks of all kinds: one at a time, in bursts, at a rate, and
// aimed at the windows' ends.
func (c conditions) shots(rng *rand.Rand) (shots []shot, attacks []Attack) {
	now := time.Duration(rng.IntN(2000)) * ms
	for a := range c.Attacks {
		attack := Attack{Name: fmt.Sprintf("attack-%d", a), Planned: c.Hits}
		kind := rng.IntN(5)
		if c.InTurn {
			kind = 0
		}
		attack.OneAtATime = kind == 0
		gap := time.Duration(rng.IntN(int(c.Limits[0].Window / 8)))
		for seq := range c.Hits {
			s := shot{identity: "premium/alice", attack: attack.Name, seq: uint64(seq), sent: now, fate: c.fate(rng)}
			s.decided, s.received = c.decide(rng, now)
			shots = append(shots, s)
			switch kind {
			case 0:
				now = s.received + gap/8
			case 2:
				now += time.Duration(rng.Int64N(int64(gap) + 1))
			case 4:
				// Fill a window, then come back around the end of one.
				l := c.Limits[rng.IntN(len(c.Limits))]
				if int64(seq)%max(1, l.Quota) == 0 {
					now += l.Window - 50*ms + time.Duration(rng.Int64N(int64(l.Window)/(1+9*rng.Int64N(2))))
				}
			case 3:
				aim := shots[rng.IntN(len(shots))].decided + c.Limits[rng.IntN(len(c.Limits))].Window
				now = max(now, aim-time.Duration(rng.IntN(int(2*c.Latency+ms))))
			}
			if c.Crowd && rng.IntN(3) == 0 {
				shots = append(shots, shot{identity: "premium/mallory", attack: "others", seq: uint64(len(shots)), sent: now, decided: now, received: now, fate: stranger})
			}
		}
		attacks = append(attacks, attack)
		now += time.Duration(rng.Int64N(int64(2 * c.Limits[rng.IntN(len(c.Limits))].Window)))
		for _, s := range shots {
			if attack.OneAtATime {
				now = max(now, s.received)
			}
		}
	}
	return c.apart(shots, attacks), attacks
}

// apart takes the claim to go one at a time from attacks that another overlaps.
func (c conditions) apart(shots []shot, attacks []Attack) []shot {
	mine := slices.DeleteFunc(slices.Clone(shots), func(s shot) bool { return s.fate == stranger })
	slices.SortFunc(mine, func(a, b shot) int { return cmp.Compare(a.sent, b.sent) })
	for i := 1; i < len(mine); i++ {
		if mine[i].sent < mine[i-1].received {
			for a := range attacks {
				attacks[a].OneAtATime = false
			}
		}
	}
	return shots
}

func (c conditions) decide(rng *rand.Rand, sent time.Duration) (decided, received time.Duration) {
	latency := time.Duration(rng.Int64N(int64(c.Latency))) + time.Microsecond
	if c.Slow && rng.IntN(6) == 0 {
		latency = time.Duration(rng.IntN(4000)) * ms
	}
	part := rng.Int64N(int64(latency) + 1)
	switch rng.IntN(4) {
	case 0:
		part = 0
	case 1:
		part = int64(latency)
	}
	return sent + time.Duration(part), sent + latency
}

func (c conditions) fate(rng *rand.Rand) fate {
	if c.Unheard && rng.IntN(8) == 0 {
		return []fate{unheardLost, unheardLate}[rng.IntN(2)]
	}
	if c.Losses && rng.IntN(6) == 0 {
		return []fate{lostBefore, lostAfter, gateway500, late500, backendError, forbidden}[rng.IntN(6)]
	}
	return plain
}

// judgedOnCorrect are the rules whose promise a correct system keeps whatever
// the caller fires; those about answers, routes and outsiders are not asked.
var judgedOnCorrect = []string{
	NoOverrun, NoUnderrun, InOrder, NoEarlyReset, Resets, DenialsAre429,
	Reconciled, PrometheusAgrees, GatewayAgrees, BackendAgrees,
	Served, NeverFree, Metered, AnswersEnd,
}

// judgedInTrouble are rules that are asked when something was made to fail or was
// replaced, which may have made no difference.
var judgedInTrouble = []string{UnheardIsTold, FailuresSpend, CountsOn}

// neverAccused are the rules that must not fail on sound ledgers: those, those
// in trouble, and one that few ledgers say anything about.
var neverAccused = slices.Concat(judgedOnCorrect, judgedInTrouble, []string{ExpiryRaces})

// judgedToo are rules that a single caller's hits leave in doubt, but must not
// make fail.
var judgedToo = []string{EachBinds, Overshoot, CountedAtStart, AbortsCounted, ResetKept, RetryAfterHonest}

// excused reports whether the system did break this promise, though not the
// limiter's: the gateway let hits pass unheard, or answered some itself.
func (c conditions) excused(rule string) bool {
	switch rule {
	case NoOverrun, NoEarlyReset, InOrder, NeverFree, Metered, FailuresSpend, CountsOn, EachBinds, Overshoot, CountedAtStart, AbortsCounted:
		return c.Unheard
	case Served, AnswersEnd:
		return c.Losses
	case ExpiryRaces:
		return c.Races || c.Unheard
	case GatewayAgrees:
		return c.Unheard || c.Losses
	}
	return false
}

func TestCorrectLimiterIsNeverAccused(t *testing.T) {
	verdicts := map[string]map[reports.Verdict]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := drawConditions(t)
		c.Model = rapid.SampledFrom(WindowModels()).Draw(t, "model")
		q, entries := c.trialOf()
		q.Rules = slices.Concat(neverAccused, judgedToo)
		q.Want.Failing, q.Declared = &Failing{What: "calls were late", Mode: Allow}, []string{weakness.FailOpen}
		q.Want.Change = &Change{What: "the gateway was restarted", Asked: 2 * sec, Done: 3 * sec, Owner: reports.Gateway}
		q.Want.Slow = q.Attacks[0].Name
		q.Attacks[0].Callers = 4
		findings := Judge(q, entries)
		if findings[0].Verdict != reports.Pass {
			t.Fatalf("assumptions do not hold: %s", findings[0].Reason)
		}
		for _, f := range findings {
			if verdicts[f.Rule] == nil {
				verdicts[f.Rule] = map[reports.Verdict]int{}
			}
			verdicts[f.Rule][f.Verdict]++
			if f.Verdict != reports.Fail {
				continue
			}
			if !c.excused(f.Rule) || f.Component == reports.Limiter {
				t.Fatalf("%s accuses a correct %q: %s; %s\n%+v", f.Rule, f.Component, f.Reason, f.Attribution, c)
			}
		}
	})
	for _, rule := range neverAccused {
		t.Logf("%s: %v", rule, verdicts[rule])
		// Few of these ledgers aim at 20 expiries; TestExpiryRaces shows its pass.
		if verdicts[rule][reports.Pass] == 0 && rule != ExpiryRaces {
			t.Errorf("%s never passed: the property says nothing about it", rule)
		}
	}
}
