package oracle

import (
	"github.com/floodgate-dev/floodgate/reports"
)

// judgeGatewayAgrees holds the gateway's counters against the whole ledger
// (cases.md G10): they tell no callers apart, so nobody else may have called.
func judgeGatewayAgrees(t *trial) reports.Finding {
	g, why := t.gatewayMoved()
	switch {
	case why != "":
		return doubt("%s", why)
	case !t.q.Alone:
		return doubt("the gateway's counters do not tell callers apart, and others ran beside")
	}
	w := t.whole
	sent, vague := int64(w.sent), int64(w.unknown())
	asked := int64(w.denied + w.refused)
	switch matched := g.Hits + g.Misses; {
	case g.Errors > 0:
		return blame(cause{
			reports.Gateway, "", "a call that fails or times out lets a hit pass uncounted (failure mode allow) or answers it 500 (deny)",
		}, nil, "%s of the gateway to the authorizer or the limiter failed or came too late (its errors +%d for %s)",
			count(g.Errors, "call"), g.Errors, count(sent, "hit"))
	case g.Misses > t.mayMiss():
		return blame(cause{
			reports.Gateway, "", "no action set of the gateway matched: the policy is not attached to this path or host",
		}, nil, "%s without a policy (the gateway's misses +%d)", hitsWere(int(g.Misses)), g.Misses)
	case matched > sent || matched < sent-vague:
		return blame(cause{reports.Gateway, "", "the gateway's counters tell of another number of hits"}, nil,
			"the gateway saw %d of %s (its hits +%d, misses +%d)", matched, count(sent, "hit"), g.Hits, g.Misses)
	case g.Denied < asked || g.Denied > asked+vague:
		return blame(cause{reports.Gateway, "", "the gateway's counters tell of another number of denials"}, nil,
			"the gateway booked %d denials for %d denied and %d refused", g.Denied, w.denied, w.refused)
	}
	return pass()
}

// mayMiss is how many hits may match no action set: none under a limit, and on
// an open route those that nobody turned away.
func (t *trial) mayMiss() int64 {
	if len(t.q.Subject.Limits) > 0 {
		return 0
	}
	return int64(t.whole.sent - t.whole.denied - t.whole.refused)
}
