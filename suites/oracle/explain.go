package oracle

import (
	"slices"
	"sort"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// explanation is how well a denial can be explained, from worst to best.
type explanation int

const (
	unexplained explanation = iota
	unknowable
	explained
)

// denial is one denied hit with the account that comes nearest to explaining it.
type denial struct {
	hit
	limit tier.Limit
	// counted is how many hits at most were counted in a window with it.
	counted int
	// ended is the number of the last window that had certainly ended, 0 if
	// none had; last are its bounds.
	ended int
	last  window
	// why says what is unknown about an unknowable denial.
	why string
}

// tallied are hits as sorted departures and sorted answers.
type tallied struct {
	sent, received []time.Duration
}

func tallyOf(groups ...[]hit) tallied {
	var t tallied
	for _, hits := range groups {
		for _, h := range hits {
			t.sent, t.received = append(t.sent, h.sent), append(t.received, h.received)
		}
	}
	slices.Sort(t.sent)
	slices.Sort(t.received)
	return t
}

// between counts the hits that can have been decided in [from, to].
func (t tallied) between(from, to time.Duration) int {
	left := sort.Search(len(t.sent), func(i int) bool { return t.sent[i] > to })
	answered := sort.Search(len(t.received), func(i int) bool { return t.received[i] >= from })
	return max(0, left-answered)
}

// explainer finds what may have used up one of the limits. It is generous: a
// denial that it cannot explain has no explanation in any placement.
type explainer struct {
	// passed were let through; counted were or may have been counted.
	passed, counted tallied
	lines           []*line
	// strangersUntil is until when hits that are not in the ledger may have
	// used up a limit, by limit.
	strangersUntil []time.Duration
}

func (t *trial) explainer(expiryRace bool) *explainer {
	x := &explainer{passed: tallyOf(t.passed), counted: tallyOf(t.passed, t.unknown)}
	if t.callsPerHit() > 1 {
		x.counted = tallyOf(t.passed, t.unknown, t.denied)
	}
	for i, limit := range t.limits {
		l := t.line(i, expiryRace)
		x.lines = append(x.lines, l)
		until := longAgo
		if !t.q.Subject.Fresh {
			until = t.start() + l.longest
		}
		if t.sharedLimit(limit) {
			until = never
		}
		x.strangersUntil = append(x.strangersUntil, until)
	}
	return x
}

// explain takes the best explanation that any limit offers for a decision
// between sent and received. With windows it uses what is known of their ends,
// else only their length.
func (x *explainer) explain(h hit, windows bool) (best explanation, nearest denial) {
	for i, l := range x.lines {
		e, d := x.byLimit(i, l, h, windows)
		if i == 0 || e > best || e == best && d.lacking() < nearest.lacking() {
			best, nearest = e, d
		}
	}
	return best, nearest
}

func (x *explainer) byLimit(i int, l *line, h hit, windows bool) (explanation, denial) {
	d := denial{hit: h, limit: l.limit}
	if l.limit.Quota <= 0 {
		return explained, d
	}
	since := h.sent - l.longest
	if windows {
		d.ended = sort.Search(len(l.windows), func(i int) bool { return l.windows[i].until > h.sent })
		if d.ended > 0 {
			d.last = l.windows[d.ended-1]
			since = max(since, d.last.ends)
		}
	}
	d.counted = x.counted.between(since, h.received)
	switch {
	case int64(x.passed.between(since, h.received)) >= l.limit.Quota:
		return explained, d
	case int64(d.counted) >= l.limit.Quota:
		d.why = "of the hits that may have used the quota, one has no answer that tells whether it was counted"
		return unknowable, d
	case x.strangersUntil[i] == never:
		d.why = "others draw on the same counter"
		return unknowable, d
	case h.sent < x.strangersUntil[i]:
		d.why = notFresh
		return unknowable, d
	}
	return unexplained, d
}

// lacking is how many more counted hits would explain the denial.
func (d denial) lacking() int64 { return d.limit.Quota - int64(d.counted) }
