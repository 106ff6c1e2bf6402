package oracle

import (
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

func TestRemediesHelpTheSubject(t *testing.T) {
	own, everybody := beside(7)[:1], beside(7)[1:]
	for name, c := range map[string]struct {
		reason string
		limits []tier.Limit
		edit   func(*Question)
		want   string
	}{
		"others ran, a counter of its own":            {"others ran beside", own, crowded, runAlone},
		"others ran, one counter is everybody's":      {"others ran beside", beside(7), crowded, runAlone},
		"others ran, all counters are everybody's":    {"others ran beside", everybody, crowded, together},
		"others ran on a stack that is theirs too":    {"others ran beside", beside(7), both(crowded, func(q *Question) { q.Shared = true }), together},
		"others ran on such a stack, its own counter": {"others ran beside", own, both(crowded, func(q *Question) { q.Shared = true }), foreign},
		"it ran alone":                  {"the window may have ended", beside(7), func(*Question) {}, together},
		"an edge, one is everybody's":   {"the window may have ended", beside(7), crowded, runAlone},
		"an edge, a counter of its own": {"the window may have ended", own, crowded, straddle},
		"a counter that others draw on": {"entry 3 was denied early, but others draw on the same counter", beside(7), crowded, together},
		"an answer that tells nothing":  {"a denial cannot be told: of the hits that may have used the quota, one has no answer that tells whether it was counted", own, crowded, lookWhy},
		"hits that took too long":       {"of 3 windows 1, and of 4 denials 1, cannot be told: hits were under way for too long when windows ended", own, crowded, giveTime},
		"a caller used before":          {"a denial cannot be told: " + notFresh, own, crowded, "wait until the caller's windows have ended"},
		"several limits":                {"the window was changed: several limits apply, and which of them has denied is not told", own, crowded, otherSet},
		"a window too short":            {"the windows are too short for a header of whole seconds to lie about the reset in 3 answers", own, crowded, otherSet},
		"a place that is not certain":   {"3 answers kept, of which none has a place in a window that leaves no doubt about the reset", own, crowded, straddle},
		"no answer":                     {"no answer was kept that could have lied about the reset", own, crowded, "have the ledger keep answers"},
	} {
		entries := ledger(t, full...)
		q := question(entries, c.limits...)
		c.edit(&q)
		if got := newTrial(q, entries).remedy(doubt("%s", c.reason)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: change %q, want %q", name, got, c.want)
		}
	}
}
