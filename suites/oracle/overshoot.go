package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// judgeOvershoot measures, for each of the identities that fired with more and
// more callers side by side, how many hits beyond the quota certainly got
// through, and holds the largest against the bound that the case declares: 0
// where the limiter counts in its own memory (cases.md C02).
func judgeOvershoot(t *trial) reports.Finding {
	bound := t.q.Want.Bound
	curve := &reports.Curve{Over: "callers side by side", Of: "hits beyond the quota"}
	var worst, doubtful reports.Finding
	for _, alone := range t.byIdentity() {
		callers := alone.callers()
		over, f := alone.overshoot(bound)
		curve.Points = append(curve.Points, reports.Point{At: callers, Value: float64(over)})
		switch {
		case f.Verdict == reports.Fail && worst.Verdict != reports.Fail:
			worst = f
		case f.Verdict == reports.Inconclusive && doubtful.Reason == "":
			doubtful = f
			doubtful.Reason = fmt.Sprintf("with %s side by side: %s", count(callers, "caller"), f.Reason)
		}
	}
	slices.SortStableFunc(curve.Points, func(a, b reports.Point) int { return a.At - b.At })
	var f reports.Finding
	switch {
	case worst.Verdict == reports.Fail:
		f = worst
		f.Reason = fmt.Sprintf("%s; %s", drawn(curve), f.Reason)
	case len(curve.Points) == 0:
		return doubt("no hit was fired as an identity, so no quota was exceeded")
	case doubtful.Reason != "":
		f = doubtful
	case len(curve.Points) < 2:
		return doubt("one number of callers side by side makes no curve")
	default:
		f = passSaying("%s, at most %d declared", drawn(curve), bound)
	}
	f.Curve = curve
	return f
}

// overshoot is how many hits beyond a quota one window certainly admitted.
func (t *trial) overshoot(bound int64) (over int64, f reports.Finding) {
	tested := false
	for i, limit := range t.limits {
		if n, w, ok := t.line(i, true).overrun(); ok && int64(w.admitted)-limit.Quota > over {
			over = int64(w.admitted) - limit.Quota
			if over > bound {
				f = blame(t.overAdmission(), beyond(w, limit), "window %d of %s, opened at %s, admitted %d of %d hits",
					n, t.subjectName(), at(w.opened), w.admitted, limit.Quota)
				f.Limit = limit.String()
			}
		}
		tested = tested || t.tested(i)
	}
	if f.Verdict == reports.Fail {
		return over, f
	}
	for i, limit := range t.limits {
		if f, hidden := t.overrun(i, limit); hidden && f.Verdict == reports.Inconclusive {
			return over, f
		}
	}
	if !tested {
		return over, doubt("no more than the quota certainly fell into one window")
	}
	return over, pass()
}

// callers is how many of the subject's hits could be in flight.
func (t *trial) callers() int {
	most := 1
	for _, a := range t.q.Attacks {
		if a.Callers > most && slices.ContainsFunc(t.mine, func(i int) bool { return t.entries[i].Attack == a.Name }) {
			most = a.Callers
		}
	}
	return most
}

// drawn is a curve in words.
func drawn(c *reports.Curve) string {
	points := make([]string, len(c.Points))
	for i, p := range c.Points {
		points[i] = fmt.Sprintf("%.4g at %d", p.Value, p.At)
	}
	return fmt.Sprintf("%s over %s: %s", c.Of, c.Over, strings.Join(points, ", "))
}
