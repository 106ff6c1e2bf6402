package oracle

import (
	"iter"
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
)

// inside are the hits that left after the quota of a window was certainly used
// and were answered before it can have ended, by the window's index.
func (l *line) inside(hits []hit) iter.Seq2[int, hit] {
	return func(yield func(int, hit) bool) {
		i := 0
		for n, w := range l.windows {
			if w.full == never {
				continue
			}
			for i < len(hits) && hits[i].sent <= w.full {
				i++
			}
			for j := i; j < len(hits) && hits[j].sent < w.ends; j++ {
				if hits[j].received < w.ends && !yield(n, hits[j]) {
					return
				}
			}
		}
	}
}

// within are the hits of inside, and the index of each one's window.
func (l *line) within(hits []hit) (found []hit, in []int) {
	for n, h := range l.inside(hits) {
		found, in = append(found, h), append(in, n)
	}
	return found, in
}

func judgeNoEarlyReset(t *trial) reports.Finding {
	tried, race := 0, reports.Finding{}
	for i, limit := range t.limits {
		if limit.Quota <= 0 {
			continue
		}
		strict := t.line(i, false)
		if w := strict.busiest; w != nil {
			f := blame(t.overAdmission(), beyond(*w, limit), "%s admitted while the quota of %d was used, of %d in less than %s from %s on",
				hitsWere(w.admitted-int(limit.Quota)), limit.Quota, w.admitted, limit.Window, at(w.opened))
			f.Limit = limit.String()
			return f
		}
		for range strict.inside(t.denied) {
			tried++
		}
		admitted, in := strict.within(t.passed)
		tried += len(admitted)
		if len(admitted) == 0 {
			continue
		}
		if sure, within := t.line(i, true).within(t.passed); len(sure) > 0 {
			f := earlyReset(t, t.line(i, true), sure, within[0])
			f.Limit = limit.String()
			return f
		}
		race = doubt("expiry race: entry %d was admitted after the quota of window %d was used, but a hit at the end of the window before may not have been counted (W10)",
			admitted[0].number, in[0]+1)
		race.Limit, race.Evidence.Entries = limit.String(), numbers(admitted)
	}
	switch {
	case race.Reason != "":
		return race
	case !t.q.Subject.Fresh:
		return doubt(notFresh)
	case tried == 0:
		return doubt("no hit left after a window's quota was certainly used and came back before the window's end")
	}
	return pass()
}

func earlyReset(t *trial, l *line, sure []hit, n int) reports.Finding {
	w := l.windows[n]
	slices.SortStableFunc(sure, bySent)
	return blame(t.overAdmission(), numbers(sure), "%s admitted after the quota of %d was used, %s, which is %s before window %d, opened at %s, can have ended",
		hitsWere(len(sure)), l.limit.Quota, firstAt(len(sure), sure[0].received), at(w.ends-sure[0].received), n+1, at(w.opened))
}
