package oracle

import (
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

const (
	// fewestWindows is how many windows in a row tell of a limit's pace.
	fewestWindows = 10
	// blurred is the part of windows, and of denials, that may be blurred by slow
	// hits: short windows under load have some, and the others tell.
	blurred = 10
)

// judgeKeepsPace judges many short windows in a row, of which each must grant its
// quota and no more (cases.md W09). What cannot be placed on one side of a
// window's end is counted and bounded, not doubted hit by hit.
func judgeKeepsPace(t *trial) reports.Finding {
	limit, _ := tier.Binding(t.limits)
	i := slices.IndexFunc(t.limits, func(l tier.Limit) bool { return l.ID == limit.ID && l.Quota == limit.Quota && l.Window == limit.Window })
	if limit.Quota <= 0 {
		return doubt("a quota of 0 has no windows")
	}
	if n, w, over := t.line(i, true).overrun(); over {
		return limitedBy(limit, blame(t.overAdmission(), beyond(w, limit), "window %d, opened at %s, admitted %d of %d hits",
			n, at(w.opened), w.admitted, limit.Quota))
	}
	ds := t.denials()
	if len(ds.wrong) > 0 {
		return t.wrongDenials(ds.wrong)
	}
	windows := t.line(i, false).windows
	vague := 0
	for _, w := range windows {
		if w.full == never || w.early > limit.Window/blindness || int64(w.admitted) > limit.Quota {
			vague++
		}
	}
	switch {
	case t.tally.unknown() > 0:
		return doubt("%s no telling answer, and may have been counted or not", hitsHad(t.tally.unknown()))
	case len(windows) < fewestWindows:
		return doubt("%s in a row, and fewer than %d tell nothing of the pace", count(len(windows), "window"), fewestWindows)
	case len(t.denied) == 0:
		return doubt("no hit was denied, so that no quota was seen to be used up")
	// The last window need not be over.
	case blurred*(vague-1) > len(windows), blurred*len(ds.doubtful) > len(t.denied):
		return doubt("of %d windows %d, and of %d denials %d, cannot be told: hits were under way for too long when windows ended",
			len(windows), vague, len(t.denied), len(ds.doubtful))
	}
	shortest, longest := periods(windows)
	return limitedBy(limit, passSaying("%d windows in a row, whose first answers came %s to %s after one another, granted %d hits, a quota of %d each; %d of them, and %d of %d denials, are blurred by hits that were under way when a window ended",
		len(windows), at(shortest), at(longest), len(t.passed), limit.Quota, vague, len(ds.doubtful), len(t.denied)))
}

// periods are the shortest and the longest time between the beginnings of two
// windows in a row, as the answers tell.
func periods(windows []window) (shortest, longest time.Duration) {
	shortest = never
	for i := 1; i < len(windows); i++ {
		period := windows[i].openedBy - windows[i-1].openedBy
		shortest, longest = min(shortest, period), max(longest, period)
	}
	return shortest, longest
}

// hitsHad is "1 hit had", "2 hits had".
func hitsHad(n int) string { return count(n, "hit") + " had" }
