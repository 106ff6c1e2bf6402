package oracle

import (
	"sort"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// blindness is the part of a window that may go unjudged at its end: a hit
// beyond the quota that may have been decided further before the end than that
// is a doubt.
const blindness = 20

const notFresh = "a counter of the subject may have been live before the first hit, so its first window proves nothing"

func judgeNoOverrun(t *trial) reports.Finding {
	var doubts []reports.Finding
	tested := ""
	for i, limit := range t.limits {
		if f, over := t.overrun(i, limit); over {
			f.Limit = limit.String()
			if f.Verdict == reports.Fail {
				return f
			}
			doubts = append(doubts, f)
		}
		if t.tested(i) && tested == "" {
			tested = limit.String()
		}
	}
	switch {
	case len(doubts) > 0:
		return doubts[0]
	case !t.q.Subject.Fresh:
		return doubt(notFresh)
	case tested == "":
		limit, _ := tier.Binding(t.limits)
		return doubt("no window was put to the test: %s of the subject, of which no more than the quota of %d certainly fell into one window",
			count(t.tally.sent, "hit"), limit.Quota)
	}
	f := pass()
	f.Limit = tested
	return f
}

// overrun judges one limit; over is false if nothing is against it.
func (t *trial) overrun(i int, limit tier.Limit) (f reports.Finding, over bool) {
	if limit.Quota <= 0 {
		switch unknown := t.countedUnknown(); {
		case len(t.passed) == 0 && unknown == 0:
			return f, false
		case len(t.passed) == 0:
			return doubt("%s without an answer may have been admitted under a quota of 0", count(unknown, "hit")), true
		}
		return blame(t.overAdmission(), numbers(t.passed), "a quota of 0 admitted %s, %s",
			count(len(t.passed), "hit"), firstAt(len(t.passed), t.passed[0].sent)), true
	}
	if w := t.line(i, true).busiest; w != nil {
		return blame(t.overAdmission(), beyond(*w, limit), "%d of %d hits were admitted in less than %s, from %s on",
			w.admitted, limit.Quota, limit.Window, at(w.opened)), true
	}
	if n, w, ok := t.line(i, true).overrun(); ok {
		return blame(t.overAdmission(), beyond(w, limit), "window %d, opened at %s, admitted %d of %d hits",
			n, at(w.opened), w.admitted, limit.Quota), true
	}
	if n, w, ok := t.line(i, false).overrun(); ok {
		f = doubt("expiry race: window %d, opened at %s, admitted %d of %d hits, but one of them was decided about the end of the window before, where the limiter is known to miscount by one (W10)",
			n, at(w.opened), w.admitted, limit.Quota)
		f.Evidence.Entries = first(beyond(w, limit))
		return f, true
	}
	return t.overrunDoubt(i, limit)
}

// overrun is the first window that admitted more than the quota.
func (l *line) overrun() (number int, w window, ok bool) {
	for n, w := range l.windows {
		if int64(w.admitted) > l.limit.Quota {
			return n + 1, w, true
		}
	}
	return 0, window{}, false
}

// beyond are the entries of a window's hits after the quota was used.
func beyond(w window, limit tier.Limit) []int {
	return numbers(w.hits[min(limit.Quota, int64(len(w.hits))-1):])
}

// overrunDoubt finds what may hide an overrun: hits without an answer, and
// slow ones of which nobody knows on which side of a window's end they were
// decided.
func (t *trial) overrunDoubt(i int, limit tier.Limit) (reports.Finding, bool) {
	l := t.line(i, false)
	if t.q.Model == Sliding {
		return t.slidingDoubt(l)
	}
	unknown, when := t.countedUnknown(), tallyOf(t.unknown)
	for n, w := range l.windows {
		if unknown > 0 {
			within := min(unknown, when.between(w.opened, w.until))
			if int64(w.admitted+within) > limit.Quota {
				return doubt("window %d admitted %d of %d hits, and %s without an answer may have been admitted too",
					n+1, w.admitted, limit.Quota, count(within, "hit")), true
			}
		}
		if w.early > limit.Window/blindness {
			return doubt("a hit beyond the quota was under way when window %d ended: it may have been decided %s before the end",
				n+1, at(w.early)), true
		}
	}
	return reports.Finding{}, false
}

// countedUnknown is how many hits without an answer the limiter may have
// admitted: where it heard every call, its own book can say that it admitted
// none but those seen.
func (t *trial) countedUnknown() int {
	unknown := t.tally.unknown()
	m, why := t.limiterMoved()
	g, unread := t.gatewayMoved()
	if why == "" && unread == "" && g.Errors == 0 && m.hits == t.tally && t.callsPerHit() == 1 {
		return min(unknown, int(max(0, m.Authorized-int64(t.tally.passed()))))
	}
	return unknown
}

// tested reports whether more hits than the quota certainly met one window.
func (t *trial) tested(i int) bool {
	quota := t.limits[i].Quota
	if quota <= 0 {
		return len(t.passed)+len(t.denied) > 0
	}
	for _, w := range t.line(i, false).windows {
		if int64(w.admitted) > quota || w.full != never && int64(w.admitted)+int64(t.deniedWithin(w)) > quota {
			return true
		}
	}
	return false
}

// deniedWithin counts the denials that certainly fell into the window.
func (t *trial) deniedWithin(w window) int {
	from := sort.Search(len(t.denied), func(i int) bool { return t.denied[i].sent >= w.from })
	n := 0
	for _, d := range t.denied[from:] {
		if d.sent >= w.ends {
			break
		}
		if d.received < w.ends {
			n++
		}
	}
	return n
}

func numbers(hits []hit) []int {
	ns := make([]int, 0, min(len(hits), mostEntries))
	for _, h := range hits[:min(len(hits), mostEntries)] {
		ns = append(ns, h.number)
	}
	return ns
}
