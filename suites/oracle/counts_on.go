package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// judgeCountsOn is judged on a subject who fires before and after a component was
// replaced that must keep no counters (cases.md S07). Where the limiter is the one
// that it was, more than a quota is the doing of what was replaced: it asks about
// another counter.
func judgeCountsOn(t *trial) reports.Finding {
	change := t.q.Want.Change
	if change == nil {
		return doubt("the question names no change")
	}
	if t.q.Model != FirstHit {
		return doubt("%s: window model %q may have ended the window meanwhile", change.What, t.q.Model)
	}
	limit, limited := tier.Binding(t.limits)
	counted := len(before(t.passed, change.Asked))
	after := keep(t.denied, func(h hit) bool { return h.sent > change.Done })
	over, hits, of := t.surplus()
	c := t.overAdmission()
	if over > 0 {
		if c.component == reports.Limiter && !t.replaced() && t.q.Before.Limiter != nil {
			c = cause{change.Owner, fmt.Sprintf("%s, which is the one that it was", c.clause), "who was replaced asks about another counter than before"}
		}
		f := blame(c, hits, "%s: %s admitted beyond the quota of %d in one window", change.What, hitsWere(int(over)), of.Quota)
		f.Limit = of.String()
		return f
	}
	switch {
	case !t.q.Subject.Fresh:
		return doubt("%s: %s", change.What, notFresh)
	case !limited || limit.Quota <= 0:
		return doubt("%s: no limit that admits hits applies to the subject", change.What)
	case counted == 0:
		return doubt("%s: no hit was counted before it", change.What)
	case t.tally.unknown() > 0:
		return doubt("%s: %s no answer of the limiter's or the model's", change.What, had(t.tally.unknown()))
	case len(after) == 0:
		return doubt("%s: no hit was denied after it, so that the quota still holds was not seen", change.What)
	}
	f := passSaying("%s: %d counted before it, %d of %d in all, and denied after it", change.What, counted, len(t.passed), limit.Quota)
	f.Limit = limit.String()
	return f
}
