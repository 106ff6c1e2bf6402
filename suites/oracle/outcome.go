package oracle

import (
	"fmt"
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// having are the numbers of the subject's entries for which the test holds.
func (t *trial) having(test func(*evidence.Entry) bool) []int {
	var numbers []int
	for _, i := range t.mine {
		if test(&t.entries[i]) {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

// answered is "entry 3 was answered 503 by the gateway".
func (t *trial) answered(number int) string {
	e := &t.entries[number-1]
	return fmt.Sprintf("entry %d was answered %d by the %.20s", number, e.Status, e.From)
}

func judgeAllAdmitted(t *trial) reports.Finding {
	denied := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Denied })
	refused := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Refused })
	failed := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Failed })
	switch {
	case len(denied) > 0:
		return blame(t.falseDenial(), denied, "%d of %s denied", len(denied), hitsWere(len(t.mine)))
	case len(refused) > 0:
		return blame(t.refusal(refused), refused,
			"%d of %s refused", len(refused), hitsWere(len(t.mine)))
	case len(failed) > 0:
		return blame(t.failure(failed), failed, "%d of %s failed", len(failed), count(len(t.mine), "hit"))
	case t.tally.lost > 0:
		return doubt("%d of %s lost: nobody answered", t.tally.lost, hitsWere(len(t.mine)))
	}
	return pass()
}

// failure blames who answered with an error. A 429 that the backend sent is
// the model's own, not a denial (cases.md G15), and what the model got and did not
// answer is its failure too. An error of the gateway's own
// is the authorizer's where the gateway only passed its answer on, or could not
// have it: only calls to the authorizer fail closed (sut.md 3.3).
func (t *trial) failure(failed []int) cause {
	e := &t.entries[failed[0]-1]
	said := t.answered(failed[0])
	g, why := t.gatewayMoved()
	switch {
	case e.From == evidence.FromBackend:
		return cause{reports.Model, said, "the answer came from behind the gateway"}
	case e.Outcome == evidence.Refused:
		return cause{reports.Authorizer, said, "the gateway passes on what the authorizer answers"}
	case t.reachedModel(e):
		return cause{reports.Model, said, "the model got the hit, and the gateway no answer to it"}
	case why == "" && t.q.Alone && g.Errors > 0:
		return cause{
			reports.Authorizer, fmt.Sprintf("%s, its errors +%d", said, g.Errors),
			"a call of the gateway's failed or was late, and only those to the authorizer fail closed",
		}
	case why == "" && t.q.Alone && g.Denied >= int64(len(failed)+t.tally.refused+t.tally.denied):
		return cause{
			reports.Authorizer, fmt.Sprintf("%s, its denied +%d and errors +0", said, g.Denied),
			"the gateway passes on what the authorizer answers",
		}
	}
	return cause{reports.Gateway, said, "the gateway answered itself"}
}

// refusal blames who refused callers that should not be: the authorizer, or the
// model where it did.
func (t *trial) refusal(refused []int) cause {
	said := t.answered(refused[0])
	if t.entries[refused[0]-1].From == evidence.FromBackend {
		return cause{reports.Model, said, "the answer came from behind the gateway"}
	}
	return cause{reports.Authorizer, said, "callers are refused by the authorizer"}
}

// reachedModel tells whether the model's journal has a hit.
func (t *trial) reachedModel(e *evidence.Entry) bool {
	served, _ := t.journal()
	return served != nil && served(e.Hit) > 0
}

func judgeAllRefused(t *trial) reports.Finding {
	statuses := t.q.Want.Statuses
	if len(statuses) == 0 {
		statuses = []int{401, 403} // evidence.Refused
	}
	admitted := t.having(isPassed)
	other := t.having(func(e *evidence.Entry) bool {
		asWanted := slices.Contains(statuses, e.Status) || t.q.Want.OrDenied && e.Outcome == evidence.Denied
		return e.Outcome != evidence.Lost && !asWanted
	})
	switch {
	case len(admitted) > 0:
		return blame(t.letIn(), admitted, "%d of %s let through that should have been refused", len(admitted), hitsWere(len(t.mine)))
	case len(other) > 0:
		return blame(t.unrefused(other), other, "%d of %s not refused with one of %v", len(other), hitsWere(len(t.mine)), statuses)
	}
	served, why := t.journal()
	switch {
	case served != nil:
		if f := t.backendIDs(served); f.Verdict != reports.Pass {
			return f
		}
	case why == "":
		if f := t.backendCounts(); f.Verdict != reports.Pass {
			return f
		}
	}
	if t.tally.lost > 0 {
		return doubt("%d of %s lost: nobody answered", t.tally.lost, hitsWere(len(t.mine)))
	}
	if why != "" {
		return t.refusedByAnswers(why)
	}
	return pass()
}

// unrefused says who answered otherwise than by a refusal. Whoever was denied had
// been let in before.
func (t *trial) unrefused(other []int) cause {
	if c, is := t.letInByWord(); is && t.entries[other[0]-1].Outcome == evidence.Denied {
		c.clause = t.answered(other[0]) + ", " + c.clause
		return c
	}
	return t.failure(other)
}

// refusedByAnswers judges without the backend's journal: the gateway's own
// answers carry no sign of a backend.
func (t *trial) refusedByAnswers(why string) reports.Finding {
	if vague := t.having(func(e *evidence.Entry) bool { return e.From != evidence.FromGateway }); len(vague) > 0 {
		f := doubt("whether %s reached the model is not known: %s", count(len(vague), "hit"), why)
		f.Evidence.Entries = first(vague)
		return f
	}
	return passSaying("judged by the answers alone, which the gateway gave itself: %s", why)
}

// letIn says who let a caller pass that should have been stopped.
func (t *trial) letIn() cause {
	if c, is := t.letInByWord(); is {
		return c
	}
	g, why := t.gatewayMoved()
	switch {
	case why == "" && g.Misses > 0:
		return cause{reports.Gateway, fmt.Sprintf("the gateway's misses +%d", g.Misses), "no action set of the gateway matched these hits"}
	case why == "" && g.Errors > 0:
		return cause{reports.Gateway, fmt.Sprintf("the gateway's errors +%d", g.Errors), "the gateway lets a hit pass when a call fails: failure mode allow"}
	case why == "" && t.unvouched():
		return cause{
			reports.Gateway, "the gateway's misses and errors +0, the limiter's counters +0",
			"nobody vouched for these hits, or the limiter would have been asked: the gateway did not wait for the authorizer, or did not obey it",
		}
	}
	if c, is := t.turnedAwayByWord(); is {
		return c
	}
	if why == "" {
		return cause{reports.Authorizer, "the gateway's misses and errors +0", "the gateway asked, and the authorizer let them in"}
	}
	return cause{clause: why, conclusion: "without the gateway's counters, a yes of the authorizer cannot be told from a policy that is not attached"}
}

// unvouched tells whether nobody can have said who fired the hits: they came
// without an identity, and the limiter, which counts by identity, was asked for none
// of them.
func (t *trial) unvouched() bool {
	named := t.having(func(e *evidence.Entry) bool { return e.Identity != "" })
	m, why := t.limiterMoved()
	return len(named) == 0 && why == "" && m.Authorized+m.Limited == 0
}

// judgeNeverFree allows what is refused, denied or within a declared quota.
func judgeNeverFree(t *trial) reports.Finding {
	admitted := t.having(isPassed)
	if len(admitted) == 0 {
		if t.tally.unknown() == t.tally.sent {
			return doubt("none of %s got a telling answer", count(t.tally.sent, "hit"))
		}
		return pass()
	}
	binding, limited := tier.Binding(t.limits)
	if !limited && len(t.q.Subject.Limits) > 0 {
		return doubt("%d of %s admitted, which a limit on tokens may allow", len(admitted), hitsWere(len(t.mine)))
	}
	if !limited {
		if t.tally.denied > 0 {
			return doubt("%d of %s admitted and %d denied, by a limit that the policy does not declare for this caller",
				len(admitted), hitsWere(len(t.mine)), t.tally.denied)
		}
		return blame(t.free(), admitted, "%d of %s admitted, though no limit applies to this caller", len(admitted), hitsWere(len(t.mine)))
	}
	if reason := t.unmet(needsWindows); reason != "" {
		return doubt("%s", reason)
	}
	for i, limit := range t.limits {
		if f, over := t.overrun(i, limit); over {
			f.Limit = limit.String()
			return f
		}
	}
	if t.tally.denied == 0 {
		return doubt("all %s admitted, which the quota of %d may allow", hitsWere(len(admitted)), binding.Quota)
	}
	f := pass()
	f.Limit = binding.String()
	return f
}

// free says who served a caller without a limit.
func (t *trial) free() cause {
	if c, is := t.letInByWord(); is {
		return c
	}
	if m, why := t.limiterMoved(); why == "" && m.Authorized+m.Limited == 0 {
		return cause{reports.Gateway, "the limiter was never asked (its calls +0)", "the gateway served these hits unmetered"}
	}
	return t.letIn()
}
