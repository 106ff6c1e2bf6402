package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeBackendAgrees looks each of the subject's hits up in the backend's
// journal, or compares totals where there is none and nobody else called.
func judgeBackendAgrees(t *trial) reports.Finding {
	served, why := t.journal()
	switch {
	case why != "":
		return doubt("%s", why)
	case served == nil:
		return t.backendCounts()
	}
	return t.backendIDs(served)
}

// journal tells how often a hit was served between the snapshots; it is nil
// without a reason where the backend keeps only a total that can be compared.
func (t *trial) journal() (served func(id string) int, why string) {
	before, after := t.q.Before.Backend, t.q.After.Backend
	switch {
	case before == nil || after == nil:
		return nil, t.missing("backend")
	case after.Served < before.Served:
		return nil, "the backend's count went backwards between the snapshots, so it restarted"
	case after.Hits == nil && !t.q.Alone:
		return nil, "the backend keeps no journal of hits, and others ran beside, so its total tells nothing"
	case after.Hits == nil:
		return nil, ""
	}
	return func(id string) int { return after.Hits[id] - before.Hits[id] }, ""
}

func (t *trial) backendIDs(served func(id string) int) reports.Finding {
	var absent, intruded, repeated []int
	for _, i := range t.mine {
		e := &t.entries[i]
		switch n := served(e.Hit); {
		case n > 1:
			repeated = append(repeated, i+1)
		case n == 0 && e.Outcome == evidence.Admitted:
			absent = append(absent, i+1)
		case n > 0 && !isPassed(e) && (e.Outcome == evidence.Denied || e.Outcome == evidence.Refused):
			intruded = append(intruded, i+1)
		}
	}
	switch {
	case len(intruded) > 0:
		return blame(cause{reports.Gateway, "", "the gateway forwarded hits that it denied or refused: the model pays for them"}, intruded,
			"%s denied or refused and reached the model all the same", hitsWere(len(intruded)))
	case len(repeated) > 0:
		return blame(cause{reports.Gateway, "", "the gateway forwarded one hit several times"}, repeated,
			"%s served more than once", hitsWere(len(repeated)))
	case len(absent) > 0:
		return blame(cause{reports.Gateway, "", "the answer came, but not from the model"}, absent,
			"%s admitted and never reached the model", hitsWere(len(absent)))
	}
	return pass()
}

// backendCounts compares the backend's total with the whole ledger.
func (t *trial) backendCounts() reports.Finding {
	served := t.q.After.Backend.Served - t.q.Before.Backend.Served
	least := int64(t.whole.admitted)
	most := least + int64(t.whole.failedBehind+t.whole.unknown())
	told := fmt.Sprintf("the model served %d where %d were admitted", served, least)
	if most > least {
		told += fmt.Sprintf(" and %s may have been", count(most-least, "more hit"))
	}
	switch {
	case served > most:
		return blame(cause{reports.Gateway, "", "the gateway forwarded hits that it did not admit, or one hit several times"}, nil, "%s", told)
	case served < least:
		return blame(cause{reports.Gateway, "", "the answer came, but not from the model"}, nil, "%s", told)
	}
	return passSaying("judged by totals: the backend keeps no journal of hits")
}
