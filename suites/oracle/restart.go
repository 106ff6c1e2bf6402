package oracle

import (
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeStaysKnown is judged on a caller who fires through a restart of the
// authorizer. While nobody can tell who calls, 404, 5xx and silence are honest
// answers; 401 and 403 are not, since clients take them for final.
func judgeStaysKnown(t *trial) reports.Finding {
	change := t.q.Want.Change
	if change == nil {
		return doubt("the question names no restart")
	}
	refused := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Refused })
	isKnown := func(e *evidence.Entry) bool { return slices.Contains(change.Then, e.Outcome) }
	before := t.having(func(e *evidence.Entry) bool { return e.Received < change.Asked && isKnown(e) })
	within := t.having(func(e *evidence.Entry) bool { return e.Received >= change.Asked && e.Sent <= change.Done })
	after := t.having(func(e *evidence.Entry) bool { return e.Sent > change.Done+change.Budget })
	lasting := slices.DeleteFunc(slices.Clone(after), func(n int) bool { return isKnown(&t.entries[n-1]) })
	switch {
	case len(refused) > 0:
		return blame(cause{change.Owner, t.answered(refused[0]), "the authorizer takes calls before it knows its keys"}, refused,
			"%s: %s refused although the key is valid", change.What, hitsWere(len(refused)))
	case len(before) == 0:
		return doubt("%s: the key was not known before it", change.What)
	case len(within) == 0:
		return doubt("%s: no hit was under way meanwhile", change.What)
	case len(after) == 0:
		return doubt("%s: no hit was sent more than %s after it", change.What, at(change.Budget))
	case len(lasting) > 0:
		return blame(cause{change.Owner, t.ended(lasting[0]), "the key is not known again within the budget"}, lasting,
			"%s: %s not answered more than %s after it", change.What, hitsWere(len(lasting)), at(change.Budget))
	}
	failed := t.tally.failedBefore + t.tally.lost
	return passSaying("%s, which took %s: %s failed or lost", change.What, at(change.Done-change.Asked), hitsWere(failed))
}
