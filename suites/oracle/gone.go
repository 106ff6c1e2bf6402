package oracle

import (
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// judgeLimitsGone is judged on a subject whose limits were deleted while it fired
// (cases.md P06): the limiter shows neither them nor the subject's counters.
func judgeLimitsGone(t *trial) reports.Finding {
	edit := t.q.Want.Edit
	switch {
	case edit == nil:
		return doubt("the question names no edit")
	case len(edit.Formerly) == 0:
		return doubt("%s: no limit applied to the subject before", edit.What)
	case t.q.After.Limiter == nil:
		return doubt("%s", t.missing("limiter"))
	}
	if _, why := t.counterBook(); why != "" {
		return doubt("%s", why)
	}
	counted := len(before(t.passed, edit.Asked))
	for _, limit := range edit.Formerly {
		for _, l := range t.q.After.Limiter.InForce {
			if l.Namespace == limit.Scope && strings.Contains(fmt.Sprint(l.Conditions), `"`+limit.ID+`"`) {
				return blame(cause{reports.Limiter, "", "it enforces what no policy says"}, nil, "%s: /limits still shows %s", edit.What, showInForce(l))
			}
		}
		if t.remembers(limit) {
			return blame(cause{reports.Limiter, "", "a limit that is no more has a counter"}, nil,
				"%s: /counters still shows what the subject used of %s", edit.What, limit)
		}
	}
	if counted == 0 {
		return doubt("%s: no hit was admitted before it, so that there was no counter to go", edit.What)
	}
	return passSaying("%s: neither a limit nor a counter of its is left", edit.What)
}

// judgeRefusalTold is judged on an edit that no limiter can read (cases.md P08):
// each says so in its status, beside the limits that it goes on with.
func judgeRefusalTold(t *trial) reports.Finding {
	edit := t.q.Want.Edit
	switch {
	case edit == nil:
		return doubt("the question names no edit")
	case len(edit.Refused) == 0:
		return doubt("%s: no limiter's /status could be read", edit.What)
	}
	silent := 0
	for _, refused := range edit.Refused {
		if refused == 0 {
			silent++
		}
	}
	if silent == 0 {
		return passSaying("%s: %s said so in /status (config_err_since)", edit.What, limiters(len(edit.Refused)))
	}
	return blame(cause{reports.Limiter, edit.status(), "its owner does not learn that edits are refused"}, nil,
		"%s: %d of %s said nothing of it in /status (config_err_since) in %s", edit.What, silent, limiters(len(edit.Refused)), at(edit.Watched-edit.Put))
}
