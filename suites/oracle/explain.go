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
	all := 0
	for _, hits := range groups {
		all += len(hits)
	}
	t := tallied{make([]time.Duration, 0, all), make([]time.Duration, 0, all)}
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
func (t tallied) between(from, to time.Duration) int { return t.betweenFrom(&places{}, from, to) }

// places are where the last search has ended. Denials are judged in the order
// in which they left, so that the next one ends nearby.
type places struct{ left, answered int }

func (t tallied) betweenFrom(last *places, from, to time.Duration) int {
	last.left = firstBeyond(t.sent, to+1, last.left)
	last.answered = firstBeyond(t.received, from, last.answered)
	return max(0, last.left-last.answered)
}

// firstBeyond is the index of the first of sorted times that is at least bound.
// It looks in growing steps from near on, and then in between.
func firstBeyond(times []time.Duration, bound time.Duration, near int) int {
	low, high := near, near
	for step := 1; low > 0 && times[low-1] >= bound; step *= 2 {
		high, low = low, max(0, low-step)
	}
	for step := 1; high < len(times) && times[high] < bound; step *= 2 {
		low, high = high, min(len(times), high+step)
	}
	return low + sort.Search(high-low, func(i int) bool { return times[low+i] >= bound })
}

// tallies are what a denial may be explained by: passed were let through;
// counted were or may have been counted.
type tallies struct{ passed, counted tallied }

// explainer finds what may have used up one of the limits. It is generous: a
// denial that it cannot explain has no explanation in any placement.
type explainer struct {
	tallies
	lines []*line
	// near is where searches for the sake of each line have ended.
	near []struct{ passed, counted places }
	// strangersUntil is until when hits that are not in the ledger may have
	// used up a limit, by limit.
	strangersUntil []time.Duration
	model          WindowModel
	epochOf        func(moment, length time.Duration) time.Duration
}

func (t *trial) explainer(expiryRace bool) *explainer {
	if t.tallies == nil {
		t.tallies = &tallies{passed: tallyOf(t.passed)}
		t.tallies.counted = t.tallies.passed
		switch {
		case t.callsPerHit() > 1:
			t.tallies.counted = tallyOf(t.passed, t.unknown, t.denied)
		case len(t.unknown) > 0:
			t.tallies.counted = tallyOf(t.passed, t.unknown)
		}
	}
	x := &explainer{tallies: *t.tallies, model: t.q.Model, epochOf: t.epochOf}
	x.near = make([]struct{ passed, counted places }, len(t.limits))
	for i, limit := range t.limits {
		l := t.line(i, expiryRace)
		x.lines = append(x.lines, l)
		until := longAgo
		if !t.q.Subject.Fresh {
			until = t.start() + l.longest
			if t.q.Model == Epoch {
				until = t.epochOf(t.start()+l.edge, limit.Window) + limit.Window + l.edge
			}
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
	since := x.since(l, h.sent)
	if windows && x.model != Sliding {
		d.ended = sort.Search(len(l.windows), func(i int) bool { return l.windows[i].until > h.sent })
		if d.ended > 0 {
			d.last = l.windows[d.ended-1]
			since = max(since, d.last.ends)
		}
	}
	d.counted = x.counted.betweenFrom(&x.near[i].counted, since, h.received)
	switch {
	case int64(x.passed.betweenFrom(&x.near[i].passed, since, h.received)) >= l.limit.Quota:
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

// since is from when at the earliest a hit can have been counted that a decision
// at that moment or later reckoned with.
func (x *explainer) since(l *line, decided time.Duration) time.Duration {
	if x.model == Epoch {
		return x.epochOf(decided-l.edge, l.limit.Window) - l.edge
	}
	return decided - l.longest
}

// lacking is how many more counted hits would explain the denial.
func (d denial) lacking() int64 { return d.limit.Quota - int64(d.counted) }
