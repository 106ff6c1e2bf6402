package oracle

import (
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeOnlyMatching judges one limit that is for some of the subject's hits
// alone: those of the attacks that the question names as matching (cases.md
// K08). No other limit may be near its quota.
func judgeOnlyMatching(t *trial) reports.Finding {
	if len(t.limits) != 1 {
		return doubt("%d limits are asked about, and the rule is about one", len(t.limits))
	}
	if t.q.Model != FirstHit {
		return doubt(notFirstHit)
	}
	limit := t.limits[0]
	if !t.q.Subject.Fresh || limit.Shared() {
		return doubt("the limit's counter may not be the subject's alone and unused")
	}
	if t.end() >= t.start()+limit.Window-Edge(limit.Window) {
		return doubt("the hits took longer than a window of %s", limit.Window)
	}
	matches := func(e *evidence.Entry) bool { return slices.Contains(t.q.Want.Matching, e.Attack) }
	admitted := t.having(func(e *evidence.Entry) bool { return matches(e) && isPassed(e) })
	denied := t.having(func(e *evidence.Entry) bool { return matches(e) && e.Outcome == evidence.Denied })
	untold := t.having(func(e *evidence.Entry) bool {
		return e.Outcome != evidence.Denied && !isPassed(e)
	})
	strayDenied := t.having(func(e *evidence.Entry) bool { return !matches(e) && e.Outcome == evidence.Denied })
	strayPassed := t.having(func(e *evidence.Entry) bool { return !matches(e) && isPassed(e) })
	applied := cause{reports.Gateway, "", "the gateway decides by the request which limits it asks for"}
	var f reports.Finding
	switch {
	case len(strayDenied) > 0:
		f = blame(applied, strayDenied, "%s denied that the limit does not match", hitsWere(len(strayDenied)))
	case int64(len(admitted)) > limit.Quota:
		f = blame(t.overAdmission(), admitted[limit.Quota:], "%d of %d hits that the limit matches were admitted", len(admitted), limit.Quota)
	case len(denied) > 0 && int64(len(admitted)+len(untold)) < limit.Quota:
		f = blame(applied, denied, "a hit that the limit matches was denied after %d of %s: others were counted with it",
			len(admitted), count(limit.Quota, "admission"))
	case len(untold) > 0:
		f = doubt("%s neither admitted nor denied; %s", hitsWere(len(untold)), t.ended(untold[0]))
	case len(denied) == 0 || len(strayPassed) == 0:
		f = doubt("%d hits that match were denied and %d others admitted: without both, nothing was told apart", len(denied), len(strayPassed))
	default:
		f = passSaying("%d of %d hits that match were admitted and %d denied, and %d others passed by it", len(admitted), limit.Quota, len(denied), len(strayPassed))
	}
	f.Limit = limit.String()
	return f
}
