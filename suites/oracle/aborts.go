package oracle

import (
	"fmt"
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeAbortsCounted judges hits many of which their caller gave up on: what the
// model served, whether or not anybody waited for it, is at most the quota
// (cases.md C07). All of them must have been fired within one window.
func judgeAbortsCounted(t *trial) reports.Finding {
	limit, _ := tier.Binding(t.limits)
	served, why := t.journal()
	switch {
	case t.q.Model != FirstHit:
		return doubt(notFirstHit)
	case !t.q.Subject.Fresh:
		return doubt(notFresh)
	case t.tally.lost == 0:
		return doubt("no hit was given up before its answer")
	case why != "" || served == nil:
		return doubt("what became of %s given up is not known: %s", hitsWere(t.tally.lost), orElse(why, "the backend keeps no journal of hits"))
	case t.end() >= t.start()+limit.Window-Edge(limit.Window):
		return doubt("the hits took longer than a window of %s", limit.Window)
	}
	abandoned := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Lost && served(e.Hit) > 0 })
	total := int64(len(t.passed) + len(abandoned))
	switch {
	case total > limit.Quota:
		f := blame(t.servedBeyond(total, len(abandoned)), abandoned, "the model served %d hits under a quota of %d, %d of them for callers who had left",
			total, limit.Quota, len(abandoned))
		f.Limit = limit.String()
		return f
	case t.tally.denied > 0 && len(t.limits) == len(t.q.Subject.Limits) && !slices.ContainsFunc(t.limits, tier.Limit.Shared) && int64(len(t.passed)+t.tally.unknown()) < limit.Quota:
		f := blame(t.falseDenial(), numbers(t.denied), "%s denied when at most %d of %d can have been counted, those given up included",
			hitsWere(t.tally.denied), len(t.passed)+t.tally.unknown(), limit.Quota)
		f.Limit = limit.String()
		return f
	case t.tally.denied == 0:
		return doubt("%d of %d hits were served and none was denied: the quota was not seen to be used up", total, limit.Quota)
	}
	f := passSaying("%d admitted and %d more served of %s given up, under a quota of %d", len(t.passed), len(abandoned), hitsWere(t.tally.lost), limit.Quota)
	f.Limit = limit.String()
	return f
}

// notFirstHit is why hits that are near each other need not share a window.
const notFirstHit = "whether all hits fell into one window can be told only where a window begins with its first hit"

// servedBeyond says who let more hits reach the model than the quota.
func (t *trial) servedBeyond(total int64, abandoned int) cause {
	m, why := t.limiterMoved()
	g, unread := t.gatewayMoved()
	switch {
	case why == "" && (unread != "" || g.Errors > 0 || t.callsPerHit() > 1):
		return t.overAdmission()
	case why != "":
		return cause{clause: why, conclusion: "without the limiter's own count, its yes cannot be told from a call that was not made"}
	case m.Authorized >= total:
		return cause{
			reports.Limiter, fmt.Sprintf("the limiter's authorized_calls +%d", m.Authorized), "the limiter said yes to every hit that was served",
		}
	}
	return cause{
		reports.Gateway, fmt.Sprintf("the limiter's authorized_calls +%d for %d served", m.Authorized, total),
		fmt.Sprintf("the gateway forwards hits whose callers have left without asking the limiter, up to %d here", abandoned),
	}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
