package oracle

import (
	"fmt"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
)

// Step is a step of the limiter's wall clock. Asked and Done are on the ledger's
// clock, which knows nothing of it.
type Step struct {
	By    time.Duration `json:"by"`
	Asked time.Duration `json:"asked"`
	Done  time.Duration `json:"done"`
}

// judgeClockSteps is judged on a subject whose quota was spent when the limiter's
// clock was stepped (cases.md K01). A step forward past the window's end may give a
// fresh quota, once: a declared weakness. A step back gives nobody anything.
func judgeClockSteps(t *trial) reports.Finding {
	step := t.q.Want.Step
	limit, limited := tier.Binding(t.limits)
	switch {
	case step == nil || step.By == 0:
		return doubt("the question names no step of a clock")
	case !limited || limit.Quota <= 0:
		return doubt("no limit that admits hits applies to the subject")
	case !t.q.Subject.Fresh:
		return doubt(notFresh)
	case t.q.Model != FirstHit:
		return doubt("window model %q ends windows otherwise", t.q.Model)
	}
	what := fmt.Sprintf("the limiter's clock was stepped by %s", step.By)
	spent := keep(t.denied, func(h hit) bool { return h.received < step.Asked })
	freed := keep(t.passed, func(h hit) bool { return h.sent > step.Done })
	again := keep(t.denied, func(h hit) bool { return h.sent > step.Done })
	g, unread := t.gatewayMoved()
	ends := t.start() + limit.Window - Edge(limit.Window)
	for _, hits := range [][]hit{freed, again} {
		for _, h := range hits {
			if h.received >= ends {
				return doubt("%s: entry %d was answered when the window may have ended by itself", what, h.number)
			}
		}
	}
	fresh := int64(0)
	if step.By >= limit.Window {
		fresh = limit.Quota
	}
	var f reports.Finding
	switch {
	case len(spent) == 0:
		return doubt("%s: no hit was denied before it, so that the quota was spent was not seen", what)
	case t.tally.unknown() > 0:
		return doubt("%s: %s no answer of the limiter's or the model's", what, had(t.tally.unknown()))
	case unread != "" || g.Errors > 0 && int64(len(freed)) > fresh:
		return doubt("%s: whether the limiter said yes to %s, or was not heard, cannot be told", what, count(len(freed), "hit"))
	case int64(len(freed)) > fresh:
		f = blame(cause{
			reports.Limiter, fmt.Sprintf("at most %d can be of a window that ended by the limiter's clock", fresh),
			"the limiter does not get over a step of its clock",
		}, numbers(freed), "%s: %s admitted after it", what, hitsWere(len(freed)))
	case len(again) == 0:
		return doubt("%s: no hit was denied after it, so that it still limits was not seen", what)
	case len(freed) > 0:
		f = t.weak([]string{weakness.ClockSteps}, cause{
			reports.Limiter, "", "a window ends by the limiter's wall clock, and its end moves with it",
		}, numbers(freed), "%s: %s admitted after it, of a fresh quota of %d", what, hitsWere(len(freed)), limit.Quota)
	default:
		f = passSaying("%s: all of %s sent after it denied", what, hitsWere(len(again)))
	}
	f.Limit = limit.String()
	return f
}
