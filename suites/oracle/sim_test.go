package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// shot is one planned hit of the simulation: when it leaves, is decided and
// comes back, and what happens to it beside the limiter.
type shot struct {
	identity, attack string
	seq              uint64
	model            int
	sent, decided    time.Duration
	received         time.Duration
	fate             fate

	outcome evidence.Outcome
	status  int
	from    string
	served  int
}

type fate int

const (
	plain        fate = iota
	lostBefore        // never reached the limiter
	lostAfter         // decided, answer lost
	gateway500        // the gateway failed before it asked
	late500           // admitted, then failed on the way to the model
	backendError      // admitted, the model failed
	unheardLost       // passed; the limiter never got the call
	unheardLate       // passed; the limiter's answer came too late
	stranger          // somebody else's hit, not in the ledger
	forbidden         // refused by the authorizer
)

// counter is one counter of the simulated limiter.
type counter struct {
	value   int64
	expires time.Duration
	// raced is the expiry at which a hit went uncounted.
	raced time.Duration
	// spent are the hits counted where windows slide.
	spent []time.Duration
}

// world simulates limiter, gateway, model and Prometheus in virtual time. The
// zero faults are a correct one.
type world struct {
	rng    *rand.Rand
	limits map[string][]tier.Limit // by identity
	// byAttack, if not nil, are the limits of each attack's hits instead.
	byAttack map[string][]tier.Limit
	// anchors makes a refused call start the windows of other limits (W14).
	anchors bool
	// races lets a hit just after an expiry go uncounted, each time (W10).
	races bool
	// drift is how much faster the limiter's clock runs.
	drift float64
	model WindowModel
	// began dates the world's zero, by which epoch windows end.
	began time.Time
	fault fault

	counters map[string]*counter
	pending  []pending
	calls    map[string]evidence.Calls
	errors   int64
	// visits are calls beside those that were fired.
	visits int64
}

// pending is an increment that a racy limiter has not written yet.
type pending struct {
	at  time.Duration
	key string
	ttl time.Duration
}

// fault breaks the world; each field is one of cases.md's broken limiters.
type fault struct {
	quota            func(identity string, quota int64) int64
	window           func(time.Duration) time.Duration
	key              func(s shot) string
	never, always    bool
	extend           bool
	skipFirst        bool
	wipe             bool
	evictAfter       int
	race             time.Duration
	leak, flaky      int // one of n denials passes, one of n admissions does not
	deny503          bool
	deniedReach      bool
	twice            bool
	noLimited        bool
	deniedAuthorized bool
	swap             [2]string
	rare             rare
}

// rare are defects that strike a share of the hits.
type rare struct {
	leak, deny             float64 // of denials, of admissions
	other, stray, unbooked float64 // of denials, of denials, of calls
	fail                   float64 // of admissions, by the model
}

func (w *world) strikes(share float64) bool { return share > 0 && w.rng.Float64() < share }

func newWorld(rng *rand.Rand, limits map[string][]tier.Limit) *world {
	return &world{rng: rng, began: began, limits: limits, counters: map[string]*counter{}, calls: map[string]evidence.Calls{}}
}

// run decides all shots in the order of their decisions and returns the ledger
// in the order in which answers came.
func (w *world) run(shots []shot) []evidence.Entry {
	slices.SortStableFunc(shots, func(a, b shot) int { return cmp.Compare(a.decided, b.decided) })
	for i := range shots {
		w.hit(&shots[i])
	}
	slices.SortStableFunc(shots, func(a, b shot) int { return cmp.Compare(a.received, b.received) })
	var entries []evidence.Entry
	for _, s := range shots {
		if s.fate != stranger {
			entries = append(entries, s.entry())
		}
	}
	return entries
}

func (s shot) entry() evidence.Entry {
	return evidence.Entry{
		Hit: s.id(), Attack: s.attack, Seq: s.seq, Identity: s.identity,
		Due: s.sent, Sent: s.sent, Received: s.received, Outcome: s.outcome, Status: s.status, From: s.from,
	}
}

func (s shot) id() string { return fmt.Sprintf("%s/%s/%d", s.identity, s.attack, s.seq) }

// hit is the gateway: it asks, obeys, and forwards.
func (w *world) hit(s *shot) {
	switch s.fate {
	case lostBefore:
		s.outcome = evidence.Lost
		return
	case gateway500:
		s.outcome, s.status, s.from = evidence.Failed, 500, evidence.FromGateway
		w.errors++
		return
	case forbidden:
		s.outcome, s.status, s.from = evidence.Refused, 401, evidence.FromGateway
		return
	case unheardLost, unheardLate:
		w.errors++
		if s.fate == unheardLate {
			w.ask(*s)
		}
		s.admit()
		return
	default:
	}
	admitted := w.ask(*s)
	switch {
	case s.fate == lostAfter:
		s.outcome = evidence.Lost
		if admitted {
			s.served = w.rng.IntN(2)
		}
	case admitted && s.fate == late500:
		s.outcome, s.status, s.from = evidence.Failed, 503, evidence.FromGateway
	case admitted && (s.fate == backendError || w.strikes(w.fault.rare.fail)):
		s.outcome, s.status, s.from = evidence.Failed, 429, evidence.FromBackend
	case admitted:
		s.admit()
	case w.fault.deny503 || w.strikes(w.fault.rare.other):
		s.outcome, s.status, s.from = evidence.Failed, 503, evidence.FromGateway
	default:
		s.outcome, s.status, s.from = evidence.Denied, 429, evidence.FromGateway
		if w.fault.deniedReach || w.strikes(w.fault.rare.stray) {
			s.served = 1
		}
	}
}

func (s *shot) admit() {
	s.outcome, s.status, s.from, s.served = evidence.Admitted, 200, evidence.FromBackend, 1
}

// ask makes the limiter calls of one hit, one after the other: one about requests and
// one about tokens, whatever policies the limits are of.
func (w *world) ask(s shot) bool {
	limits := w.limits[s.identity]
	if w.byAttack != nil {
		if limits = w.byAttack[s.attack]; len(limits) == 0 {
			return true
		}
	}
	calls := map[tier.Unit][]tier.Limit{}
	for _, l := range limits {
		calls[l.Unit] = append(calls[l.Unit], l)
	}
	if len(limits) == 0 {
		return w.call(s, nil)
	}
	for _, unit := range slices.Sorted(maps.Keys(calls)) {
		if !w.call(s, calls[unit]) {
			return false
		}
	}
	return true
}

// call is one ShouldRateLimit: all limits or none.
func (w *world) call(s shot, limits []tier.Limit) bool {
	ok := w.within(s, limits)
	if w.fault.leak > 0 && !ok && w.rng.IntN(w.fault.leak) == 0 {
		ok = true
	}
	if w.fault.flaky > 0 && ok && w.rng.IntN(w.fault.flaky) == 0 {
		ok = false
	}
	switch {
	case !ok && w.strikes(w.fault.rare.leak), ok && w.strikes(w.fault.rare.deny):
		ok = !ok
	}
	if !w.strikes(w.fault.rare.unbooked) {
		w.book(s.identity, ok)
	}
	return ok
}

func (w *world) book(identity string, ok bool) {
	if w.fault.swap[0] != "" {
		switch identity {
		case w.fault.swap[0]:
			identity = w.fault.swap[1]
		case w.fault.swap[1]:
			identity = w.fault.swap[0]
		}
	}
	c := w.calls[identity]
	if ok || w.fault.deniedAuthorized {
		c.Authorized++
		c.Hits++
		if w.fault.twice {
			c.Authorized++
			c.Hits++
		}
	} else if !w.fault.noLimited {
		c.Limited++
	}
	w.calls[identity] = c
}

// within decides on one call and counts it if it is admitted.
func (w *world) within(s shot, limits []tier.Limit) bool {
	if w.fault.never || w.fault.always {
		return w.fault.never
	}
	now := s.decided + time.Duration(float64(s.decided)*w.drift)
	w.settle(now)
	ok, raced := true, map[string]bool{}
	order := w.rng.Perm(len(limits))
	for _, i := range order {
		l := limits[i]
		c, key := w.counter(s, l, now)
		if c.value >= w.quota(s.identity, l) {
			ok = false
			if w.fault.extend {
				c.expires = now + l.Window
			}
			break
		}
		if w.races && c.expires > c.raced && c.expires <= now && now < c.expires+time.Millisecond {
			c.raced, raced[key] = c.expires, true
		}
		if w.anchors && !raced[key] && c.expires <= now {
			*c = counter{expires: w.end(now, w.window(l)), raced: c.raced}
		}
	}
	if !ok {
		return false
	}
	for _, l := range limits {
		c, key := w.counter(s, l, now)
		if raced[key] {
			continue
		}
		if w.fault.race > 0 {
			w.pending = append(w.pending, pending{now + w.fault.race, key, w.window(l)})
			continue
		}
		w.count(c, now, w.window(l))
	}
	return true
}

func (w *world) count(c *counter, now, ttl time.Duration) {
	if c.expires <= now {
		*c = counter{expires: w.end(now, ttl), raced: c.raced}
		if w.fault.skipFirst {
			return
		}
	}
	c.value++
	if w.model == Sliding {
		c.spent, c.expires = append(c.spent, now), now+ttl
	}
}

// end is when a window that opens now ends.
func (w *world) end(now, ttl time.Duration) time.Duration {
	if w.model != Epoch {
		return now + ttl
	}
	past := (w.began.UnixNano() + int64(now)) % int64(ttl)
	return now + ttl - time.Duration(past)
}

// forget drops what a sliding counter counted longer ago than its length.
func (c *counter) forget(now, ttl time.Duration) {
	for len(c.spent) > 0 && c.spent[0]+ttl <= now {
		c.spent = c.spent[1:]
		c.value--
	}
}

// settle writes the increments that are due.
func (w *world) settle(now time.Duration) {
	for len(w.pending) > 0 && w.pending[0].at <= now {
		p := w.pending[0]
		w.pending = w.pending[1:]
		w.count(w.counters[p.key], p.at, p.ttl)
	}
}

func (w *world) quota(identity string, l tier.Limit) int64 {
	if w.fault.quota != nil {
		return w.fault.quota(identity, l.Quota)
	}
	return l.Quota
}

func (w *world) window(l tier.Limit) time.Duration {
	if w.fault.window != nil {
		return w.fault.window(l.Window)
	}
	return l.Window
}

// counter finds the counter of a limit; its value is 0 once it has expired.
func (w *world) counter(s shot, l tier.Limit, now time.Duration) (*counter, string) {
	who := s.identity
	if len(l.Counters) == 0 {
		who = ""
	}
	if w.fault.key != nil {
		who = w.fault.key(s)
	}
	key := l.Policy + "/" + l.Name + "/" + who
	c, ok := w.counters[key]
	if !ok {
		if w.fault.evictAfter > 0 && len(w.counters) >= w.fault.evictAfter {
			clear(w.counters)
		}
		c = &counter{expires: longAgo, raced: longAgo}
		w.counters[key] = c
	}
	c.forget(now, w.window(l))
	if c.expires <= now && c.value > 0 {
		c.value = 0
		if w.fault.wipe {
			for _, other := range w.counters {
				*other = counter{expires: longAgo, raced: longAgo}
			}
		}
	}
	return c, key
}
