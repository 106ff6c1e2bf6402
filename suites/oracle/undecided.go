package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeUndecidedUncounted is judged on hits whose calls of the limiter named no
// domain (cases.md F06). Such a call asks for nobody's limits: the limiter answers
// UNKNOWN and books nothing, so that it shows as a failed call and as no yes.
func judgeUndecidedUncounted(t *trial) reports.Finding {
	_, why := t.limiterMoved()
	switch {
	case why != "":
		return doubt("%s", why)
	case !t.q.Alone:
		return doubt("others ran beside, and a call without a domain may be booked on nobody")
	}
	booked := minus(t.q.After.Limiter.Total, t.q.Before.Limiter.Total)
	told := fmt.Sprintf("the limiter booked authorized_calls +%d and limited_calls +%d", booked.Authorized, booked.Limited)
	switch {
	case booked.Limited > 0 && t.tally.denied > 0:
		return blame(cause{reports.Gateway, told, "the gateway went on asking for limits that its configuration names no more"},
			numbers(t.denied), "%s denied", hitsWere(t.tally.denied))
	case booked != (evidence.Calls{}):
		return blame(cause{reports.Limiter, "", "it takes a call that asks for nobody's limits for one that it has decided"},
			nil, "%s for %s whose calls named no domain", told, count(len(t.mine), "hit"))
	}
	if g, unread := t.gatewayMoved(); unread != "" || g.Errors == 0 {
		return doubt("no call of the gateway's failed, or its errors were not read: that the limiter was called was not seen")
	}
	return pass()
}
