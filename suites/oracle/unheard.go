package oracle

import (
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// The failure modes of a service (sut.md 3.3).
const (
	Allow = "allow"
	Deny  = "deny"
)

// Failing says that calls of the limiter were made to fail while hits were fired.
type Failing struct {
	// What says how, such as "the limiter was cut off".
	What string `json:"what"`
	// Mode is what the gateway is told to do with a hit whose call fails.
	Mode string `json:"mode"`
	// Patience is how long the gateway waits for the authorizer: an error of its own
	// that came sooner is not the authorizer's lateness.
	Patience time.Duration `json:"patience"`
	// Every says that no call could be heard, and not only some.
	Every bool `json:"every"`
	// Least is how long a hit takes at least whose call met the failure, 0 if nobody
	// knows.
	Least time.Duration `json:"least,omitempty"`
}

// judgeUnheardIsTold is judged on a subject whose calls were made to fail (cases.md
// F01 to F08, F13). A call that failed at the gateway may have been counted by the
// limiter all the same, or not: the gateway's errors bound both.
func judgeUnheardIsTold(t *trial) reports.Finding {
	failing := t.q.Want.Failing
	if failing == nil {
		return doubt("the question does not say what was made to fail")
	}
	g, why := t.gatewayMoved()
	switch {
	case why != "":
		return doubt("%s: %s", failing.What, why)
	case !t.q.Alone:
		return doubt("%s: the gateway's errors do not tell callers apart, and others ran beside", failing.What)
	case failing.Mode == Deny:
		return t.deniedUnheard(failing, g)
	case t.q.Model != FirstHit:
		return doubt("%s: of window model %q nobody knows here when windows open that unheard hits are in", failing.What, t.q.Model)
	case failing.Mode != Allow:
		return doubt("%s: failure mode %.20q is none that the oracle can judge", failing.What, failing.Mode)
	}
	turned := t.having(func(e *evidence.Entry) bool {
		return isTurnedAway(e) && e.Status == 500 && e.Received-e.Sent < failing.Patience
	})
	late := t.having(isTurnedAway)
	m, unread := t.limiterMoved()
	passed := int64(t.tally.passed())
	switch {
	case len(turned) > 0:
		return blame(cause{reports.Gateway, t.answered(turned[0]), "the gateway turns hits away whose limiter call fails: declared is failure mode allow"},
			turned, "%s: %s failed by the gateway", failing.What, hitsWere(len(turned)))
	case len(late) > 0:
		f := doubt("%s: %s failed by the gateway, the first with %d: it may not have heard the authorizer in time",
			failing.What, hitsWere(len(late)), t.entries[late[0]-1].Status)
		f.Evidence.Entries = first(late)
		return f
	case t.tally.lost > 0:
		return doubt("%s: %s lost: nobody answered", failing.What, hitsWere(t.tally.lost))
	}
	if beyond, hits, limit := t.surplus(); beyond > g.Errors {
		c := t.overAdmission()
		if unread == "" && m.hits == t.tally && t.callsPerHit() == 1 && m.Authorized > limit.Quota && len(t.line(0, true).windows) == 1 {
			c = cause{reports.Limiter, fmt.Sprintf("the limiter's authorized_calls +%d", m.Authorized), "the limiter said yes to more hits than the quota"}
		}
		f := blame(c, hits, "%s: %s beyond the quota, and only %s failed (the gateway's errors +%d)",
			failing.What, hitsWere(int(beyond)), count(g.Errors, "call"), g.Errors)
		f.Limit = limit.String()
		return f
	}
	switch {
	case unread != "":
		return doubt("%s: %s", failing.What, unread)
	case !t.q.Subject.Fresh:
		return doubt("%s: %s", failing.What, notFresh)
	}
	unheard := max(0, int64(m.hits.passed())-m.Authorized)
	switch {
	case t.callsPerHit() == 1 && unheard > g.Errors:
		return blame(cause{
			reports.Gateway, fmt.Sprintf("the limiter has no account of %d of them (its authorized_calls +%d), and the gateway's errors +%d", unheard, m.Authorized, g.Errors),
			"hits pass unlimited, and nothing tells",
		}, t.having(isPassed), "%s: %s admitted", failing.What, hitsWere(int(passed)))
	case m.Limited < int64(m.hits.denied):
		return blame(t.falseDenial(), numbers(t.denied), "%s: %s denied", failing.What, hitsWere(t.tally.denied))
	case g.Errors == 0 && failing.Every:
		return doubt("%s: no call of the gateway's failed (its errors +0), so that was not seen", failing.What)
	case failing.Least > 0 && len(t.having(failing.met)) == 0:
		return doubt("%s: no hit took %s, so that any met it was not seen", failing.What, at(failing.Least))
	case failing.Every && g.Errors < passed:
		return blame(cause{
			reports.Gateway, fmt.Sprintf("the gateway's errors +%d", g.Errors), "calls that failed are not told",
		}, t.having(isPassed), "%s: %s admitted, of which the limiter can have answered none", failing.What, hitsWere(int(passed)))
	}
	if g.Errors == 0 || passed == 0 {
		return passSaying("%s: every call was heard (the limiter's authorized_calls +%d, the gateway's errors +0)", failing.What, m.Authorized)
	}
	return t.weak([]string{weakness.FailOpen}, cause{
		reports.Gateway, fmt.Sprintf("the limiter's authorized_calls +%d, the gateway's errors +%d", m.Authorized, g.Errors),
		"the gateway lets a hit pass when the limiter fails or times out, and tells of each: failure mode allow",
	}, t.having(isPassed), "%s: %d of %d hits passed, %d of them not heard by the limiter at most",
		failing.What, passed, t.tally.sent, min(g.Errors, passed))
}

// met tells whether a hit took as long as one whose call failed does.
func (f *Failing) met(e *evidence.Entry) bool { return e.Received-e.Sent >= f.Least }

// isTurnedAway tells whether the gateway answered with an error of its own.
func isTurnedAway(e *evidence.Entry) bool {
	return e.Outcome == evidence.Failed && e.From == evidence.FromGateway
}

// deniedUnheard is judged where a hit whose call fails is to be turned away.
func (t *trial) deniedUnheard(failing *Failing, g evidence.GatewayBook) reports.Finding {
	passed := t.having(isPassed)
	turned := t.having(isTurnedAway)
	m, unread := t.limiterMoved()
	switch {
	case failing.Every && len(passed) > 0:
		return blame(cause{
			reports.Gateway, fmt.Sprintf("the gateway's errors +%d", g.Errors), "the gateway lets a hit pass whose limiter call fails: declared is failure mode deny",
		}, passed, "%s: %s admitted, of which the limiter can have answered none", failing.What, hitsWere(len(passed)))
	case unread == "" && t.callsPerHit() == 1 && int64(len(passed)) > m.Authorized:
		return blame(cause{
			reports.Gateway, fmt.Sprintf("the limiter's authorized_calls +%d, the gateway's errors +%d", m.Authorized, g.Errors),
			"the gateway lets a hit pass whose limiter call fails: declared is failure mode deny",
		}, passed, "%s: %s admitted", failing.What, hitsWere(len(passed)))
	case int64(len(turned)) > g.Errors:
		return blame(cause{reports.Gateway, fmt.Sprintf("the gateway's errors +%d", g.Errors), "calls that failed are not told"}, turned,
			"%s: %s turned away", failing.What, hitsWere(len(turned)))
	case t.tally.lost > 0:
		return doubt("%s: %s lost: nobody answered", failing.What, hitsWere(t.tally.lost))
	case len(turned) == 0:
		return doubt("%s: no hit was turned away, so that was not seen", failing.What)
	}
	return passSaying("%s: %d of %d hits turned away, the gateway's errors +%d", failing.What, len(turned), t.tally.sent, g.Errors)
}

// surplus is how many hits were certainly admitted beyond a limit's quota in its
// first window, for the limit where that is most. Where hits pass that are not
// counted, nobody knows when later windows open.
func (t *trial) surplus() (most int64, hits []int, of tier.Limit) {
	for i, limit := range t.limits {
		windows := t.line(i, true).windows
		if len(windows) == 0 || !t.q.Subject.Fresh {
			continue
		}
		if over := int64(windows[0].admitted) - limit.Quota; limit.Quota > 0 && over > most {
			most, hits, of = over, beyond(windows[0], limit), limit
		}
	}
	return most, hits, of
}

// judgeLimitsAgain is judged on a subject whose quota was spent before the limiter
// was out of reach, and who fires on until after it can be reached again (cases.md
// F05).
func judgeLimitsAgain(t *trial) reports.Finding {
	change := t.q.Want.Change
	if change == nil {
		return doubt("the question names no change")
	}
	free := len(before(t.passed, change.Asked))
	late := keep(t.passed, func(h hit) bool { return h.sent > change.Done+change.Budget })
	again := keep(t.denied, func(h hit) bool { return h.sent > change.Asked })
	switch {
	case len(late) > 0:
		return blame(t.staysOpen(change), numbers(late),
			"%s: %s admitted more than %s later, %s", change.What, hitsWere(len(late)), at(change.Budget), lastAt(late))
	case free == 0:
		return doubt("%s: no hit was admitted before it, so that the limiter was not heard was not seen", change.What)
	case t.tally.unknown() > 0:
		return doubt("%s: %s no answer of the limiter's or the model's", change.What, had(t.tally.unknown()))
	case len(again) == 0:
		return doubt("%s: no hit was denied after it, and none was sent more than %s later", change.What, at(change.Budget))
	}
	first := slices.MinFunc(again, byReceived)
	if back := keep(t.passed, func(h hit) bool { return h.sent > first.received }); len(back) > 0 {
		f := doubt("%s: limited again after %s, and then %s admitted: a call may have been late", change.What, at(first.received-change.Asked), hitsWere(len(back)))
		f.Evidence.Entries = numbers(back)
		return f
	}
	return passSaying("%s: %s admitted before it, and limited again %s after it", change.What, hitsWere(free), at(max(0, first.received-change.Asked)))
}

// staysOpen says who lets a spent quota pass after the limiter came back.
func (t *trial) staysOpen(change *Change) cause {
	limit, limited := tier.Binding(t.limits)
	if m, why := t.limiterMoved(); why == "" && m.hits == t.tally && limited && m.Authorized > limit.Quota {
		return cause{reports.Limiter, fmt.Sprintf("the limiter's authorized_calls +%d", m.Authorized), "the gateway asks, and the limiter says yes to more than the quota"}
	}
	return cause{change.Owner, "", "the gateway does not ask the limiter again within the budget, or does not wait for its answer"}
}

// had is "1 hit had", "2 hits had".
func had(n int) string { return count(n, "hit") + " had" }

// judgeFailuresSpend is judged on hits that got past the limiter and that the model
// failed, or that did not reach it (cases.md F10). They spend what a served one
// does, once: neither given back nor counted again.
func judgeFailuresSpend(t *trial) reports.Finding {
	failed := t.having(isFailedBehind)
	late := t.having(func(e *evidence.Entry) bool { return isTurnedAway(e) && !isFailedBehind(e) })
	switch {
	case len(late) > 0:
		f := doubt("%s failed by the gateway, the first with %d: it may not have heard the authorizer in time", hitsWere(len(late)), t.entries[late[0]-1].Status)
		f.Evidence.Entries = first(late)
		return f
	case t.tally.lost > 0:
		return doubt("%s lost: nobody answered", hitsWere(t.tally.lost))
	case len(failed) == 0:
		return doubt("no hit failed behind the limiter")
	}
	entries := slices.Clone(t.entries)
	for _, n := range failed {
		entries[n-1].Outcome, entries[n-1].From = evidence.Admitted, evidence.FromBackend
	}
	served := newTrial(t.q, entries)
	var vague *reports.Finding
	for _, judge := range []func(*trial) reports.Finding{judgeNoOverrun, judgeNoUnderrun, judgeReconciled} {
		f := judge(served)
		if f.Verdict == reports.Pass {
			continue
		}
		f.Reason = fmt.Sprintf("counting each of %s once: %s", count(len(failed), "failed hit"), f.Reason)
		if f.Verdict == reports.Fail {
			return f
		}
		if vague == nil {
			vague = &f
		}
	}
	if vague != nil {
		return *vague
	}
	f := passSaying("%s of %s, each counted once and none given back", count(len(failed), "failed hit"), count(len(t.mine), "hit"))
	if limit, limited := tier.Binding(t.limits); limited {
		f.Limit = limit.String()
	}
	return f
}

// isFailedBehind tells whether a hit got past the limiter and was failed by the
// model, or by the gateway because it did not reach it: 503 is the gateway's word
// for that, 500 the one for a call that failed (sut.md 3.4).
func isFailedBehind(e *evidence.Entry) bool {
	return e.Outcome == evidence.Failed && (e.From == evidence.FromBackend || e.Status == 502 || e.Status == 503 || e.Status == 504)
}
