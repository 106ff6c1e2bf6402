package oracle

import (
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// Edge is how far from a window's nominal end a decision may fall on either
// side: the limiter's own error (0.4 ms measured, cases.md G5), and two clocks
// that differ by 50 ppm over the window. Specs that probe a window's end plan
// their hits farther away from it than this.
func Edge(window time.Duration) time.Duration {
	return 5*time.Millisecond + window/20_000
}

const (
	longAgo = time.Duration(-1 << 62)
	never   = time.Duration(1<<62 - 1)
)

// window is what is certain about one window of a limit: it holds in every
// placement of the decisions that a correct limiter could have made. Windows
// are numbered by the admitted hits in them, so one that only lost or denied
// hits can have opened is not in the list.
type window struct {
	// opened and openedBy are the earliest and the latest possible opening.
	opened, openedBy time.Duration
	// from: hits sent from here on are in this window or a later one.
	from time.Duration
	// ends is the earliest, until the latest possible end.
	ends, until time.Duration
	// full is when the quota was certainly used, never if that is not certain.
	full time.Duration
	// admitted counts the hits that were certainly admitted in this window.
	admitted int
	// hits are those admitted, only if they are more than the quota.
	hits []hit
	// early is how long before the end a hit beyond the quota may have been
	// decided that a correct limiter must have decided after it.
	early time.Duration
}

// line are the windows of one limit in order of time.
type line struct {
	limit tier.Limit
	// expiryRace allows one admitted hit at each window's end to be counted in
	// neither window: the real limiter's race (cases.md W10).
	expiryRace bool
	// edge is how far from a window's nominal end a decision may fall.
	edge time.Duration
	// shortest and longest bound the length of a window on our clock.
	shortest, longest time.Duration
	windows           []window
	// busiest is a span that admitted too much where windows slide.
	busiest *window
}

// lineKey names a line of a trial: which limit, and whether races are allowed.
type lineKey struct {
	limit      int
	expiryRace bool
}

// line sweeps the subject's hits for the windows of limit i.
//
// It is sound by induction. Let every hit sent at or after from be decided in
// window k or later. The earliest-answered of them bounds the opening of k
// from above, so any hit sent a window later is in k+1 or later; of those sent
// before, at most a quota is in k, so the rest, at least as many as are beyond
// a quota when ordered by answer, is in k+1 or later too (surplus). From below
// the opening is bounded by the first hit that can have opened it.
func (t *trial) line(i int, expiryRace bool) *line {
	expiryRace = expiryRace && t.q.Model == FirstHit
	key := lineKey{i, expiryRace}
	if l, ok := t.lines[key]; ok {
		return l
	}
	limit := t.limits[i]
	l := &line{
		limit: limit, expiryRace: expiryRace, edge: Edge(limit.Window),
		shortest: limit.Window - Edge(limit.Window), longest: limit.Window + Edge(limit.Window),
	}
	if t.q.Model == Epoch {
		// Two clocks have drifted apart since the ledger began, not since the
		// window opened.
		l.edge += t.q.ClockDoubt + t.end()/20_000
	}
	t.lines[key] = l
	if limit.Quota <= 0 || limit.Window <= 0 || len(t.passed) == 0 {
		return l
	}
	switch t.q.Model {
	case Epoch:
		t.epochWindows(l)
		return l
	case Sliding:
		t.slidingWindows(l)
		return l
	case FirstHit:
	}
	s := sweep{line: l, passed: t.passed, anchors: t.anchors(), shared: t.sharedLimit(limit), from: longAgo, ends: longAgo}
	if !t.q.Subject.Fresh {
		s.afterUnknownWindow(t.start())
	}
	for s.step() {
	}
	return l
}

// anchors are the hits that can have opened a window: those that were or may
// have been counted and, with several limits, denied ones too, because a call
// that one limit refuses can start the window of another (cases.md W14).
func (t *trial) anchors() []hit {
	if len(t.unknown) == 0 && len(t.q.Subject.Limits) < 2 {
		return t.passed
	}
	if t.anchored != nil {
		return t.anchored
	}
	anchors := slices.Concat(t.passed, t.unknown)
	if len(t.q.Subject.Limits) > 1 {
		anchors = append(anchors, t.denied...)
	}
	slices.SortStableFunc(anchors, bySent)
	t.anchored = anchors
	return anchors
}

// sharedLimit reports whether others than the subject draw on the limit's
// counter: then its windows can open unseen.
func (t *trial) sharedLimit(l tier.Limit) bool {
	return l.Shared() && t.q.Subject.Identity != ""
}
