package oracle

import (
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// judgeBorderBurst looks at a caller who keeps nearly a whole quota until the
// end of a window and fires another one after it: where windows begin with the
// first hit all of it is admitted, and how much in how short a time is reported
// (cases.md W04). A limiter that counts otherwise denies some of it.
func judgeBorderBurst(t *trial) reports.Finding {
	limit, _ := tier.Binding(t.limits)
	ds := t.denials()
	switch {
	case len(ds.wrong) > 0:
		return t.wrongDenials(ds.wrong)
	case len(ds.doubtful) > 0:
		return t.doubtfulDenials(ds.doubtful)
	case limit.Quota < 2:
		return doubt("a quota of %d leaves nothing to keep until the end of a window", limit.Quota)
	case len(t.denied) > 0:
		return doubt("%s rightly denied, so the hits missed the end of the window that they were aimed at", hitsWere(len(t.denied)))
	case len(t.passed) < len(t.mine):
		return doubt("only %d of %s came back admitted: what became of the others is not known", len(t.passed), count(len(t.mine), "hit"))
	}
	most := 2*limit.Quota - 1
	span := t.shortestSpan(most)
	if span >= limit.Window {
		return doubt("no %d hits were admitted within less than a window of %s, so no burst at its border was seen", most, limit.Window)
	}
	f := passSaying("burst at the border: %d hits of a quota of %d were admitted within %s, as windows allow that begin with the first hit", most, limit.Quota, at(span))
	f.Limit = limit.String()
	return f
}

// shortestSpan is the shortest time in which certainly so many hits were
// admitted, never if there are fewer.
func (t *trial) shortestSpan(hits int64) time.Duration {
	span := never
	for i := int(hits) - 1; i < len(t.passed); i++ {
		last := t.passed[i].received
		for _, h := range t.passed[i-int(hits)+1 : i] {
			last = max(last, h.received)
		}
		span = min(span, last-t.passed[i-int(hits)+1].sent)
	}
	return span
}
