package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// cause says which component a fail is blamed on: a clause of numbers for the
// reason, and the conclusion from them.
type cause struct {
	component  reports.Component
	clause     string
	conclusion string
}

// overAdmission says who let too many hits through (cases.md G6): the limiter
// that said yes, or the gateway that did not ask, did not hear or did not obey.
func (t *trial) overAdmission() cause {
	if c, is := t.mistaken(); is {
		return c
	}
	if keys := t.strangeKeys(); len(keys) > 0 {
		return t.countedAsOthers(keys)
	}
	if c, is := t.otherNamespace(); is {
		return c
	}
	m, why := t.limiterMoved()
	if why != "" {
		return cause{clause: why, conclusion: "without the limiter's own count, its yes cannot be told from a call that was not heard"}
	}
	passed, denied, unknown := int64(m.hits.passed()), int64(m.hits.denied), int64(m.hits.unknown())
	calls := int64(t.callsPerHit())
	g, errorsUnread := t.gatewayMoved()
	deaf := errorsUnread != "" || g.Errors > 0
	switch missing := passed - m.Authorized; {
	case missing <= 0 && deaf && m.Authorized < calls*(passed+unknown)+(calls-1)*denied:
		return cause{
			clause: fmt.Sprintf("the limiter's authorized_calls +%d are for %d admitted, %d denied and %d unknown, and its calls may have failed",
				m.Authorized, passed, denied, unknown),
			conclusion: heardUntold,
		}
	case missing <= 0 && len(t.q.After.Limiter.Instances) > 1:
		return cause{
			reports.Limiter,
			fmt.Sprintf("the %d limiters answered all %d (their authorized_calls +%d)", len(t.q.After.Limiter.Instances), passed, m.Authorized),
			"the limiters said yes to every hit that passed; with memory storage each of them counts for itself",
		}
	case missing <= 0 && t.askedElse():
		return cause{
			reports.Gateway,
			fmt.Sprintf("the limiter answered all %d (its authorized_calls +%d); /limits shows the limit, and /counters no counter of it", passed, m.Authorized),
			"the gateway asked about other limits than those that are in force",
		}
	case missing <= 0:
		if c, is := t.countedLate(); is {
			return c
		}
		return t.crossExamined(cause{
			reports.Limiter,
			fmt.Sprintf("the limiter answered all %d (its authorized_calls +%d)", passed, m.Authorized),
			"the limiter said yes to every hit that passed, and the gateway obeyed",
		})
	case unknown == 0 && !deaf && m.Limited-denied >= missing:
		return cause{
			reports.Gateway,
			fmt.Sprintf("the limiter denied %d of them (its limited_calls +%d for %s seen)", missing, m.Limited, count(denied, "denial")),
			"the gateway let pass what the limiter denied",
		}
	default:
		return t.neverAnswered(m, passed, missing)
	}
}

// countedAsOthers says who had the limiter count a caller under other names: the
// authorizer, if the metrics name them too, else the gateway.
func (t *trial) countedAsOthers(keys []string) cause {
	clause := fmt.Sprintf("the limiter counts under %s that the caller's name begins, such as %.80q", count(len(keys), "more key"), keys[0])
	if t.q.After.Limiter != nil {
		if _, named := t.q.After.Limiter.Users[keys[0]]; named {
			return cause{reports.Authorizer, clause, "the authorizer hands out several ids for one caller"}
		}
	}
	return cause{reports.Gateway, clause, "the gateway asks the limiter to count one caller as several"}
}

// neverAnswered tells why the limiter has no account of hits that passed.
func (t *trial) neverAnswered(m movement, passed, missing int64) cause {
	g, why := t.gatewayMoved()
	switch {
	case why != "":
		return cause{
			reports.Gateway,
			fmt.Sprintf("the limiter has no account of %d of %d (its authorized_calls +%d), and %s", missing, passed, m.Authorized, why),
			"the gateway did not ask the limiter, or did not wait for its answer",
		}
	case g.Errors > 0:
		return cause{
			reports.Gateway,
			fmt.Sprintf("the limiter was not heard for %d of %d (its authorized_calls +%d, the gateway's errors +%d)", missing, passed, m.Authorized, g.Errors),
			letsPassUnheard,
		}
	case g.Misses > 0:
		return cause{
			reports.Gateway,
			fmt.Sprintf("no limiter call was made for %d of %d (its authorized_calls +%d, the gateway's misses +%d)", missing, passed, m.Authorized, g.Misses),
			"no action set of the gateway matched these hits",
		}
	default:
		return cause{
			reports.Gateway,
			fmt.Sprintf("no limiter call was made for %d of %d (its authorized_calls +%d, the gateway's errors +0)", missing, passed, m.Authorized),
			"the gateway let hits pass without asking the limiter",
		}
	}
}

// falseDenial says who denied hits for which there was quota left.
func (t *trial) falseDenial() cause {
	if c, is := t.mistaken(); is {
		return c
	}
	m, why := t.limiterMoved()
	if why != "" {
		return cause{clause: why, conclusion: "without the limiter's own count, its no cannot be told from the gateway's"}
	}
	calls, hits := m.Authorized+m.Limited, int64(m.hits.limitable())
	switch {
	case calls > hits*int64(t.callsPerHit()) && m.Authorized > int64(m.hits.passed()+m.hits.unknown()):
		return cause{
			reports.Gateway,
			fmt.Sprintf("the limiter got %d calls for %s", calls, count(hits, "hit")),
			"calls that no hit made spent the quota: the gateway repeats calls or hits",
		}
	case m.Limited >= int64(m.hits.denied):
		if c, is := t.askedForMore(); is {
			return c
		}
		return t.crossExamined(cause{
			reports.Limiter,
			fmt.Sprintf("the limiter said no (its limited_calls +%d)", m.Limited),
			"the limiter denied these hits, and the gateway obeyed",
		})
	default:
		return cause{
			reports.Gateway,
			fmt.Sprintf("the limiter denied only %d of %d (its limited_calls)", m.Limited, m.hits.denied),
			"the gateway denied hits that the limiter did not deny",
		}
	}
}

// askedElse tells whether the limiter, though it said yes to hits, was never
// asked about the subject's limits: it shows each of them, and was seen to have
// counted for none. Where /counters was not read that cannot be told.
func (t *trial) askedElse() bool {
	if _, why := t.counterBook(); why != "" || t.q.After.Limiter == nil || len(t.limits) == 0 || len(t.passed) == 0 {
		return false
	}
	counted := t.q.Began.Add(t.passed[len(t.passed)-1].sent)
	for _, limit := range t.limits {
		shown := slices.ContainsFunc(t.q.After.Limiter.InForce, func(l evidence.LimitInForce) bool {
			return l.Namespace == limit.Scope && slices.ContainsFunc(l.Conditions, func(c string) bool { return strings.Contains(c, `"`+limit.ID+`"`) })
		})
		// A counter that was there may have ended before it was read.
		if !shown || len(t.countersOf(limit)) > 0 || !t.q.Counters.At.Before(counted.Add(limit.Window)) {
			return false
		}
	}
	return true
}
