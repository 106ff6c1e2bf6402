package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeTokensSpent is judged on hits that left one at a time, in one window. An
// answer costs at least a token, and it is charged after it was given, so that
// one hit more may pass meanwhile (cases.md G12, T16). What answers cost exactly
// is another rule's.
func judgeTokensSpent(t *trial) reports.Finding {
	var scarcest tier.Limit
	for _, l := range t.q.Subject.Limits {
		if l.Unit == tier.Tokens && (scarcest.Quota == 0 || l.Quota < scarcest.Quota) {
			scarcest = l
		}
	}
	passed, most := int64(len(t.passed)), scarcest.Quota+1
	var f reports.Finding
	switch {
	case scarcest.Quota == 0:
		return doubt("no limit that counts tokens applies to the subject")
	case t.assumed.order != "":
		return doubt("the order cannot be judged: %s", t.assumed.order)
	case passed > 0 && t.passed[passed-1].received > t.passed[0].sent+scarcest.Window:
		return doubt("the hits took longer than the window of %s", scarcest.Window)
	case passed > most:
		f = blame(t.tokensIgnored(), numbers(t.passed[most:]), "%d hits were served, and a quota of %s serves %d at most",
			passed, count(scarcest.Quota, "token"), most)
	case t.tally.denied == 0:
		return doubt("%s served, none denied: the quota of tokens was not used up", hitsWere(int(passed)))
	default:
		f = pass()
	}
	f.Limit = scarcest.String()
	return f
}

// tokensIgnored says who let hits pass although their tokens were spent.
func (t *trial) tokensIgnored() cause {
	m, why := t.limiterMoved()
	switch {
	case why != "":
		return cause{clause: why, conclusion: "without the limiter's own count, its yes cannot be told from a call that was not made"}
	case m.Limited > int64(m.hits.denied):
		return cause{
			reports.Gateway, fmt.Sprintf("the limiter's limited_calls +%d for %s seen", m.Limited, count(m.hits.denied, "denial")),
			"the gateway let pass what the limiter denied: it asked too late",
		}
	case m.Authorized == 0:
		return cause{reports.Gateway, "the limiter was never asked (its calls +0)", "the gateway served these hits unmetered"}
	}
	return cause{reports.Limiter, fmt.Sprintf("the limiter's limited_calls +%d", m.Limited), "the limiter said yes to hits whose tokens were spent"}
}

// judgeAnswersEnd is judged on hits some of which were fired straight at the
// model: what ends there must end behind the gateway too.
func judgeAnswersEnd(t *trial) reports.Finding {
	straight := func(e *evidence.Entry) bool { return e.Attack == t.q.Want.Straight }
	endless := func(e *evidence.Entry) bool { return e.Outcome == evidence.Lost || e.Error != "" }
	through := t.having(func(e *evidence.Entry) bool { return !straight(e) && endless(e) })
	behind := t.having(func(e *evidence.Entry) bool { return straight(e) && endless(e) })
	compared := t.having(straight)
	answered := t.having(func(e *evidence.Entry) bool { return !straight(e) && isPassed(e) })
	switch {
	case len(through) > 0 && len(compared) > 0 && len(behind) == 0:
		e := &t.entries[through[0]-1]
		return blame(cause{
			reports.Gateway, fmt.Sprintf("entry %d: %.100s", through[0], e.Error),
			"the same requests are answered in full by the model itself: the gateway withholds the end",
		}, through, "%d of %s not answered to the end", len(through), hitsWere(len(t.mine)-len(compared)))
	case len(behind) > 0:
		return blame(cause{
			reports.Model, fmt.Sprintf("entry %d: %.100s", behind[0], t.entries[behind[0]-1].Error), "asked without a gateway the model does not answer either",
		}, behind, "%d of %s not answered to the end", len(behind), hitsWere(len(compared)))
	case len(through) > 0:
		return doubt("%d of %s not answered to the end, and the model could not be asked without the gateway", len(through), hitsWere(len(t.mine)))
	case len(answered) == 0:
		return doubt("no hit was answered by the model")
	}
	return pass()
}
