package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeNoBypass looks at requests in unusual forms by a caller whose quota is
// spent; the last one, by departure, is in the usual form and shows that the
// quota was spent all along. Any answer but a 2xx will do (cases.md I16).
func judgeNoBypass(t *trial) reports.Finding {
	last := t.mine[0]
	for _, i := range t.mine {
		if t.entries[i].Sent > t.entries[last].Sent {
			last = i
		}
	}
	served := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Admitted })
	certain, why := t.sortedByWindow(served)
	untold := t.having(func(e *evidence.Entry) bool {
		return e.Outcome == evidence.Lost || e.Outcome == evidence.Failed && e.Status >= 500
	})
	switch {
	case len(t.mine) < 2:
		return doubt("only one hit was fired, so nothing was compared")
	case t.entries[last].Outcome != evidence.Denied:
		return doubt("entry %d, in the usual form, was not denied: the quota was not spent all along", last+1)
	case len(certain) > 0:
		return blame(t.bypass(), certain, "%d of %s served although the quota was spent", len(certain), hitsWere(len(t.mine)))
	case why != "":
		return doubt("the quota may not have been spent all along, as the case outlasts the window: %s", why)
	case len(untold) == len(t.mine)-1:
		return doubt("none of the unusual forms got a telling answer; %s", t.ended(untold[0]))
	}
	return pass()
}

// bypass says how hits got past a limit that denies the plain request. More
// than a quota of yeses in all are the limiter's own. The gateway's counters are
// cited, not needed: what it made of the form is its own.
func (t *trial) bypass() cause {
	if binding, limited := tier.Binding(t.limits); limited && t.q.Subject.Fresh {
		if m, why := t.limiterMoved(); why == "" && m.Authorized > binding.Quota {
			return cause{
				reports.Limiter, fmt.Sprintf("the limiter's authorized_calls +%d under a quota of %d", m.Authorized, binding.Quota),
				"the gateway asked, and the limiter said yes",
			}
		}
	}
	c := cause{component: reports.Gateway, conclusion: "the gateway takes the unusual form for something without a limit, and forwards it"}
	if g, why := t.gatewayMoved(); why == "" && t.q.Alone {
		c.clause = fmt.Sprintf("the gateway's misses +%d, errors +%d", g.Misses, g.Errors)
	}
	return c
}

// judgeMetered compares the hits that were served with the limiter's calls: who
// cannot be limited must not be served either (cases.md I17).
func judgeMetered(t *trial) reports.Finding {
	passed := t.having(isPassed)
	if t.tally.lost == t.tally.sent {
		return doubt("none of %s was answered", count(t.tally.sent, "hit"))
	}
	if len(passed) == 0 {
		return passSaying("%d denied, %d refused, %d failed: nobody was served", t.tally.denied, t.tally.refused, t.tally.failedBefore)
	}
	m, why := t.limiterMoved()
	if why != "" {
		return doubt("%s", why)
	}
	free := int64(m.hits.passed()) - m.Authorized
	switch {
	case free > 0:
		c := t.neverAnswered(m, int64(m.hits.passed()), free)
		c.component = reports.Gateway
		return blame(c, passed, "%d of %s served unmetered", free, hitsWere(len(t.mine)))
	case t.tally.denied == 0:
		return doubt("%s served and counted, none denied: whether a limit applies was not seen", hitsWere(len(passed)))
	}
	return passSaying("the limiter was asked for each of %d served and denied %d", len(passed), t.tally.denied)
}
