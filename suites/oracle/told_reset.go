package oracle

import (
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// promise is the window's end as the headers of one answer tell it: between from
// and until, whole seconds being cut.
type promise struct {
	entry       *evidence.Entry
	number      int
	from, until time.Duration
}

// judgeResetKept holds the limiter to what its own headers told: who was told
// of an end is not denied after it without a new quota's being used, and who was
// denied is not admitted before it (cases.md H04).
func judgeResetKept(t *trial) reports.Finding {
	if t.q.Model != FirstHit {
		return doubt(notFirstHit)
	}
	if len(t.limits) > 1 || len(t.limits) < len(t.q.Subject.Limits) {
		return doubt("several limits apply, and X-RateLimit-Reset tells the end of one of them")
	}
	if t.limits[0].Shared() {
		return doubt("others draw on the same counter, so that a denial after the end may be theirs")
	}
	if unheard, known := t.unheard(); !known || unheard > 0 {
		return doubt("the limiter may not have heard every hit, so that what it told of and what it did are not the same")
	}
	promises := t.promises()
	early, late := 0, 0
	for _, p := range promises {
		for _, d := range t.denied {
			if d.sent < p.until || int64(t.countedAfter(p, d)) >= t.limits[0].Quota {
				continue
			}
			return t.promiseBroken(p, d, "entry %d told of an end of the window by %s, but entry %d was denied at %s")
		}
		for _, a := range t.passed {
			switch {
			case p.entry.Outcome != evidence.Denied || a.sent < p.entry.Received:
			case a.received <= p.from:
				return t.promiseBroken(p, a, "entry %d, denied, told of an end of the window not before %s, but entry %d was admitted by %s")
			case a.sent >= p.until:
				late++
			}
		}
		if p.entry.Outcome == evidence.Denied && slices.ContainsFunc(t.denied, func(d hit) bool { return d.sent >= p.entry.Received && d.received <= p.from }) {
			early++
		}
	}
	switch {
	case len(promises) == 0:
		return doubt("no answer was kept that tells when the window ends")
	case early == 0:
		return doubt("nobody came back certainly before the end that a denial told of")
	case late == 0:
		return doubt("nobody was admitted certainly after the end that a denial told of")
	}
	return passSaying("%d answers told of an end: who came back before it was denied, who came after it was admitted", len(promises))
}

// promises are the ends that kept answers tell of.
func (t *trial) promises() (found []promise) {
	for _, i := range t.mine {
		e := &t.entries[i]
		if e.Answer == nil || e.Outcome != evidence.Admitted && e.Outcome != evidence.Denied {
			continue
		}
		value, wrong := told{entry: e}.number(resetHeader)
		if wrong != "" || value > int64(never/time.Second)/2 {
			continue
		}
		rest, edge := time.Duration(value)*time.Second, Edge(t.limits[0].Window)
		found = append(found, promise{entry: e, number: i + 1, from: e.Sent + rest - edge, until: e.Received + rest + time.Second + edge})
	}
	return found
}

// countedAfter is how many hits can have been counted after the end that an
// answer told of and before a denial. The hit that was answered so, and those
// before it, were counted before that end.
func (t *trial) countedAfter(p promise, d hit) (counted int) {
	for _, hits := range [][]hit{t.passed, t.unknown} {
		for _, h := range hits {
			if h.number != p.number && h.received > p.entry.Sent && h.received >= p.from && h.sent <= d.received {
				counted++
			}
		}
	}
	return counted
}

func (t *trial) promiseBroken(p promise, h hit, format string) reports.Finding {
	until := p.until
	if t.entries[h.number-1].Outcome == evidence.Admitted {
		until = p.from
	}
	when := h.sent
	if t.entries[h.number-1].Outcome == evidence.Admitted {
		when = h.received
	}
	values, _ := header(p.entry.Answer.Header, resetHeader)
	return blame(cause{
		reports.Limiter, fmt.Sprintf("%s: %.40q", resetHeader, values), "the limiter writes this header, and does otherwise",
	}, []int{p.number, h.number}, format, p.number, at(until), h.number, at(when))
}
