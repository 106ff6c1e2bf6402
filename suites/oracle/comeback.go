package oracle

import (
	"fmt"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// turnedAway is how long the gateway may fail every hit before that is more than
// a busy machine on which the authorizer is late.
const turnedAway = 2 * time.Second

// judgeComesBack is judged on a subject that had used its quota and fires on
// while the limiter is replaced (cases.md S01). With memory storage its counter
// is lost, and with failure mode allow every hit passes that no limiter hears;
// both are declared weaknesses, and how much they let through is reported.
func judgeComesBack(t *trial) reports.Finding {
	change := t.q.Want.Change
	limit, limited := tier.Binding(t.limits)
	switch {
	case change == nil:
		return doubt("the question names no change")
	case !limited || limit.Quota <= 0:
		return doubt("%s: no limit that admits hits applies to the subject", change.What)
	case !t.replaced():
		return doubt("%s: the same processes answer as before, or it is not known which do", change.What)
	}
	o := t.outageOf(change, limit)
	g, unread := t.gatewayMoved()
	// Each limiter that came has a quota, and one that lingers may begin a window.
	fresh := limit.Quota * (t.successors() + 1)
	var f reports.Finding
	switch {
	case o.used < limit.Quota:
		return doubt("%s: only %d of %d hits were admitted before it", change.What, o.used, limit.Quota)
	case o.failing >= turnedAway:
		f = blame(cause{reports.Gateway, t.answered(o.failed[0]), "the gateway turns hits away while it hears no limiter: declared is failure mode allow"},
			o.failed, "%s: no hit was served for %s, and %s failed by the gateway", change.What, at(o.failing), hitsWere(len(o.failed)))
	case int64(len(o.late)) > fresh:
		f = blame(t.overAdmission(), numbers(o.late), "%s: more than %s after it was ready again, %s still admitted, %s",
			change.What, at(change.Budget), hitsWere(len(o.late)), lastAt(o.late))
	case unread == "" && t.q.Alone && int64(len(o.passed)) > fresh+g.Errors:
		f = blame(cause{
			reports.Limiter, fmt.Sprintf("fresh quotas of %d in all and the gateway's errors +%d do not explain it", fresh, g.Errors),
			"the limiter that came back admits more than its quota",
		}, numbers(o.passed), "%s: %s admitted after it", change.What, hitsWere(len(o.passed)))
	case len(o.failed) > 0:
		f = doubt("%s: %s failed by the gateway meanwhile, the first with %d: it may not have heard the authorizer in time",
			change.What, hitsWere(len(o.failed)), t.entries[o.failed[0]-1].Status)
		f.Evidence.Entries = first(o.failed)
	case t.tally.lost > 0:
		return doubt("%s: %s lost: nobody answered", change.What, hitsWere(t.tally.lost))
	case o.again == 0:
		return doubt("%s: no hit was denied after it, so that it limits again was not seen", change.What)
	case len(o.passed) == 0:
		f = passSaying("%s, ready again after %s: no hit passed, so the counter outlived it", change.What, at(change.Done-change.Asked))
	default:
		names, c := t.lossOf(o, limit.Quota)
		f = t.weak(names, c, numbers(o.passed), "%s, ready again after %s: %s admitted in %s, of a fresh quota of %d or limited by nobody",
			change.What, at(change.Done-change.Asked), hitsWere(len(o.passed)), at(o.open), limit.Quota)
	}
	f.Limit = limit.String()
	return f
}

// lossOf are the weaknesses that explain what passed since the limiter was
// replaced, and whose they are. Without the gateway's errors a pass within a
// quota may be either's: then one that is declared explains it.
func (t *trial) lossOf(o outage, quota int64) (names []string, c cause) {
	passed := int64(len(o.passed))
	g, why := t.gatewayMoved()
	if why != "" || !t.q.Alone {
		switch {
		case passed > quota:
			names = []string{weakness.FailOpen}
		case t.declared(weakness.FailOpen) && !t.declared(weakness.FreshCounters):
			names = []string{weakness.FailOpen}
		default:
			names = []string{weakness.FreshCounters}
		}
		return names, cause{clause: why, conclusion: "a limiter that has lost its counters, or a gateway that lets pass what no limiter answers"}
	}
	c.clause = fmt.Sprintf("the gateway's errors +%d", g.Errors)
	if passed > g.Errors {
		names = append(names, weakness.FreshCounters)
		c.component, c.conclusion = reports.Limiter, "a limiter with memory storage has lost what it had counted"
	}
	if passed > quota || g.Errors > int64(len(o.failed)) {
		names = append(names, weakness.FailOpen)
		// Whose weakness is declared is not blamed for the other's.
		if len(names) == 1 || t.declared(weakness.FreshCounters) {
			c.component, c.conclusion = reports.Gateway, "the gateway lets pass what no limiter answers: failure mode allow"
		}
	}
	return names, c
}

// replaced says that another process answers than before.
func (t *trial) replaced() bool {
	before, after := t.q.Before.Limiter, t.q.After.Limiter
	return before != nil && after != nil && !sameSet(before.Instances, after.Instances)
}

// successors is how many limiters there are now: each has a quota of its own.
func (t *trial) successors() int64 { return int64(max(1, len(t.q.After.Limiter.Instances))) }

// outage is what the subject saw of a limiter that was replaced.
type outage struct {
	// used counts the hits admitted before it, passed are those admitted after.
	used   int64
	passed []hit
	// late were admitted after it was ready again and its budget over.
	late []hit
	// failed were answered with an error by the gateway, for so long without
	// anybody being served in between.
	failed  []int
	failing time.Duration
	// open is from the first to the last hit that passed, again counts denials
	// after the last.
	open  time.Duration
	again int
}

func (t *trial) outageOf(change *Change, limit tier.Limit) (o outage) {
	o.used = int64(len(before(t.passed, change.Asked)))
	// A quota that comes with the next window is nobody's fault.
	next := change.Asked + limit.Window - Edge(limit.Window)
	over := change.Done + change.Budget
	for _, h := range t.passed {
		if h.received < change.Asked || h.received >= next {
			continue
		}
		o.passed = append(o.passed, h)
		if h.sent > over {
			o.late = append(o.late, h)
		}
	}
	o.failed = t.having(func(e *evidence.Entry) bool {
		return e.Outcome == evidence.Failed && e.From == evidence.FromGateway && e.Received >= change.Asked
	})
	o.failing = t.failingFor(o.failed)
	last := change.Asked
	if n := len(o.passed); n > 0 {
		for _, h := range o.passed {
			last = max(last, h.received)
		}
		o.open = last - o.passed[0].sent
	}
	o.again = len(keep(t.denied, func(h hit) bool { return h.sent > max(last, change.Done) }))
	return o
}

// failingFor is the longest time from one failed hit to another without a hit
// that was admitted or denied in between.
func (t *trial) failingFor(failed []int) (longest time.Duration) {
	if len(failed) == 0 {
		return 0
	}
	answers := tallyOf(t.passed, t.denied)
	from := t.entries[failed[0]-1].Sent
	for _, n := range failed {
		e := &t.entries[n-1]
		if answers.between(from, e.Received) > 0 {
			from = e.Sent
		}
		longest = max(longest, e.Received-from)
	}
	return longest
}

// stillListed is how long after replicas have come or gone a hit is still one that
// was under way meanwhile: who calls them may not have heard yet.
const stillListed = time.Second

// judgeScalingUnseen is judged on whoever fires while replicas of a component
// come and go (cases.md S08). What a proxy answers itself when it is not ready
// or on its way out is 502, 503 or 504; a 500 is the filter's own, which a late
// authorizer on a busy machine explains as well.
func judgeScalingUnseen(t *trial) reports.Finding {
	change := t.q.Want.Change
	if change == nil {
		return doubt("the question names no change")
	}
	meanwhile := t.having(func(e *evidence.Entry) bool { return e.Received >= change.Asked && e.Sent <= change.Done+stillListed })
	unserved := t.having(func(e *evidence.Entry) bool {
		return e.From == evidence.FromGateway && e.Status >= 502 && e.Status <= 504
	})
	failed := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Failed && e.From == evidence.FromGateway })
	switch {
	case len(unserved) > 0:
		return blame(cause{change.Owner, t.answered(unserved[0]), "a replica takes hits before it can serve them, or after it has stopped"}, unserved,
			"%s: %d of %s failed", change.What, len(unserved), hitsWere(len(t.mine)))
	case len(failed) > 0:
		f := doubt("%s: %d of %s failed by the gateway, the first with %d: it may not have heard the authorizer in time",
			change.What, len(failed), hitsWere(len(t.mine)), t.entries[failed[0]-1].Status)
		f.Evidence.Entries = first(failed)
		return f
	case t.tally.lost > 0:
		return doubt("%s: %d of %s lost: nobody answered", change.What, t.tally.lost, hitsWere(len(t.mine)))
	case len(meanwhile) == 0:
		return doubt("%s: no hit was under way meanwhile", change.What)
	}
	return passSaying("%s in %s: %s under way meanwhile, none failed or lost", change.What, at(change.Done-change.Asked), hitsWere(len(meanwhile)))
}
