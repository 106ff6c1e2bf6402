package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
)

// judgeAllDenied holds hits that no quota is left for.
func judgeAllDenied(t *trial) reports.Finding {
	certain, why := t.sortedByWindow(t.having(isPassed))
	switch {
	case len(certain) > 0:
		return blame(t.overAdmission(), certain, "%d of %s admitted although no quota is left, %s",
			len(certain), hitsWere(len(t.mine)), firstAt(len(certain), t.entries[certain[0]-1].Sent))
	case why != "":
		return doubt("whether a quota was left is not known, as the case outlasts the window: %s", why)
	case t.tally.denied < t.tally.sent:
		return doubt("%d of %s denied; the others were refused, failed or lost", t.tally.denied, hitsWere(len(t.mine)))
	}
	return pass()
}

// judgeStoppedIsSilent is judged on hits that left when the limiter should
// have ended: whatever it still decides, it decides beside its successor, and
// both admit a quota (cases.md S13). A gateway that hears nobody books an error
// for each hit.
func judgeStoppedIsSilent(t *trial) reports.Finding {
	const known = "the limiter goes on deciding after it was told to stop, and its successor admits the quota again; Limitador up to 2.4 is known to serve gRPC for up to 30 s more"
	lingers := []string{weakness.StopLingers}
	if len(t.denied) > 0 {
		return t.weak(lingers, cause{reports.Limiter, fmt.Sprintf("%d admitted before", len(t.passed)), known}, numbers(t.denied),
			"%d of %s denied by a limiter that was told to stop", len(t.denied), hitsWere(len(t.mine)))
	}
	g, why := t.gatewayMoved()
	asked := int64(t.tally.limitable())
	switch {
	case why != "":
		return doubt("whether the limiter answered cannot be told: %s", why)
	case asked == 0:
		return doubt("no hit got past authentication, so the limiter was not asked")
	case g.Errors >= asked:
		return pass()
	case t.q.Alone && len(t.passed) > 0:
		return t.weak(lingers, cause{reports.Limiter, fmt.Sprintf("the gateway's errors +%d", g.Errors), known}, numbers(t.passed),
			"%d of %s answered by a limiter that was told to stop", asked-g.Errors, hitsWere(len(t.mine)))
	}
	return doubt("the gateway's errors +%d do not tell for each of %s whether the limiter was heard", g.Errors, count(asked, "hit"))
}

// judgeReadyMeansServing is judged on a limiter that was started on a gRPC
// port that somebody else holds.
func judgeReadyMeansServing(t *trial) reports.Finding {
	s := t.q.Startup
	switch {
	case s == nil:
		return doubt("no limiter was started on a port that is taken")
	case s.Ended:
		return passSaying("it ended: %.100s", s.How)
	case s.Serves:
		return doubt("the limiter answers on a port that was taken: it was not taken after all")
	case s.Status == 200:
		return t.weak([]string{weakness.ReadyWithoutGRPC}, cause{
			reports.Limiter, "",
			"/status says that the limiter is well while it serves no gRPC, and a gateway lets everything pass; Limitador up to 2.4 is known to do so: ask it over gRPC whether it is ready",
		}, nil, "the limiter's gRPC port is taken, it has gone on for %s, and its /status answers 200", at(s.Watched))
	}
	return passSaying("it goes on, and its /status answers %d", s.Status)
}
