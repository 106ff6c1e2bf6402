package oracle

import (
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeServed holds the parts around the limiter to their own jobs: a known
// key opens, and what was let through is answered. A gateway that answers with
// an error of its own may not have heard the authorizer in time, which a busy
// machine explains as well (sut.md 3.6b): that is a doubt.
func judgeServed(t *trial) reports.Finding {
	refused := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Refused && e.From != evidence.FromBackend })
	byModel := t.having(func(e *evidence.Entry) bool {
		return (e.Outcome == evidence.Failed || e.Outcome == evidence.Refused) && e.From == evidence.FromBackend
	})
	byGateway := t.having(func(e *evidence.Entry) bool { return e.Outcome == evidence.Failed && e.From == evidence.FromGateway })
	switch {
	case len(refused) > 0:
		return blame(cause{reports.Authorizer, t.answered(refused[0]), "callers are refused by the authorizer"}, refused,
			"%d of %s refused although the key is valid", len(refused), hitsWere(len(t.mine)))
	case len(byModel) > 0:
		return blame(t.failure(byModel), byModel, "%d of %s failed by the model", len(byModel), hitsWere(len(t.mine)))
	case len(byGateway) > 0:
		f := doubt("%d of %s failed by the gateway, the first with %d: it may not have heard the authorizer in time",
			len(byGateway), hitsWere(len(t.mine)), t.entries[byGateway[0]-1].Status)
		f.Evidence.Entries = first(byGateway)
		return f
	case t.tally.lost > 0:
		return doubt("%d of %s lost: nobody answered", t.tally.lost, hitsWere(len(t.mine)))
	}
	return pass()
}
