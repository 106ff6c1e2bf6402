package oracle

import (
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// judgeHeardAtAnySize judges attacks that were fired while more and more limits
// were in force: no hit may have gone unheard, and what a hit costs is told as a
// curve (cases.md K11). Each size has an identity of its own.
func judgeHeardAtAnySize(t *trial) reports.Finding {
	g, why := t.gatewayMoved()
	switch {
	case len(t.q.Want.Sizes) < 2:
		return doubt("the question names no two sizes")
	case why != "":
		return doubt("%s", why)
	case !t.q.Alone:
		return doubt("the gateway's errors do not tell callers apart, and others ran beside")
	}
	curve := &reports.Curve{Over: "limits in force", Of: "milliseconds that half of the hits took at most"}
	var passed, missing int64
	for _, alone := range t.byIdentity() {
		size := t.q.Want.Sizes[t.entries[alone.mine[0]].Attack]
		m, why := alone.limiterMoved()
		if why != "" {
			return doubt("%s", why)
		}
		passed += int64(alone.tally.passed())
		missing += max(0, int64(alone.tally.passed())-m.Authorized)
		curve.Points = append(curve.Points, reports.Point{At: size, Value: float64(alone.median()) / float64(time.Millisecond)})
	}
	slices.SortStableFunc(curve.Points, func(a, b reports.Point) int { return a.At - b.At })
	var f reports.Finding
	switch {
	case g.Errors > 0 || missing > 0:
		f = blame(cause{
			reports.Limiter, fmt.Sprintf("the gateway's errors +%d; %s", g.Errors, drawn(curve)),
			"the limiter answers the later the more limits it has, until the gateway waits no longer and lets hits pass",
		}, nil, "the limiter has no account of %d of %d admitted hits", missing, passed)
		if g.Errors == 0 {
			f.Component, f.Attribution = reports.Gateway, "the gateway let hits pass without asking the limiter"
		}
	case len(curve.Points) < 2:
		f = doubt("hits were fired under %s alone", count(len(curve.Points), "size"))
	case t.tally.lost+t.tally.failedBefore > 0:
		f = doubt("%s without a telling answer", hitsWere(t.tally.lost+t.tally.failedBefore))
	default:
		f = passSaying("every hit was heard; %s", drawn(curve))
	}
	f.Curve = curve
	return f
}

// median is how long half of the subject's hits took at most.
func (t *trial) median() time.Duration {
	took := make([]time.Duration, 0, len(t.mine))
	for _, i := range t.mine {
		took = append(took, t.entries[i].Received-t.entries[i].Sent)
	}
	slices.Sort(took)
	return took[(len(took)-1)/2]
}
