package oracle

import (
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeOneIdentity judges hits that carried the keys of two callers: each is
// refused, or counted once and on the first (cases.md A10). Nobody else may have
// fired as these callers.
func judgeOneIdentity(t *trial) reports.Finding {
	callers := t.q.Want.Callers
	before, after := t.q.Before.Limiter, t.q.After.Limiter
	switch {
	case len(callers) < 2:
		return doubt("the question names no two callers")
	case before == nil || after == nil:
		return doubt("%s", t.missing("limiter"))
	case !sameSet(before.Instances, after.Instances):
		return doubt("the limiter's processes changed between the snapshots, so its counters started anew")
	case !sameSet(before.Scopes, after.Scopes):
		return doubt("the limiter book was read for other namespaces before than after, so what moved is not known")
	case after.Users == nil && !still(before, after):
		return doubt("the limiter book tells no callers apart")
	case t.tally.lost > 0:
		return doubt("%s lost: nobody answered", hitsWere(t.tally.lost))
	}
	var booked []string
	var all, others int64
	for i, name := range callers {
		moved := minus(after.Users[name], before.Users[name])
		calls := moved.Authorized + moved.Limited
		if calls < 0 {
			return doubt("the limiter book went backwards between the snapshots, so its counters started anew")
		}
		all += calls
		if i > 0 {
			others += calls
		}
		booked = append(booked, fmt.Sprintf("%d on %s", calls, name))
	}
	told := strings.Join(booked, ", ")
	limitable := int64(t.tally.limitable())
	served := t.having(func(e *evidence.Entry) bool { return e.Outcome != evidence.Refused })
	culprit := cause{reports.Gateway, "", "the gateway asks the limiter about more than one caller of a hit"}
	switch {
	case all > limitable:
		return blame(culprit, served, "%d of %s got past the authorizer and were counted %d times: %s", limitable, count(t.tally.sent, "hit"), all, told)
	case others > 0:
		return blame(cause{reports.Authorizer, "", "the authorizer takes the second key where there are two"}, served,
			"%s counted on a caller whose key came second: %s", hitsWere(int(others)), told)
	case t.tally.refused == t.tally.sent:
		return passSaying("all of %s with two keys were refused, and none was counted", count(t.tally.sent, "hit"))
	case t.tally.failedBefore > 0:
		return doubt("%d of %s failed by the gateway, which is neither refused nor counted", t.tally.failedBefore, hitsWere(t.tally.sent))
	}
	return passSaying("%d of %s with two keys were refused, the others counted once: %s", t.tally.refused, count(t.tally.sent, "hit"), told)
}
