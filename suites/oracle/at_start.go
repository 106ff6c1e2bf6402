package oracle

import (
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeCountedAtStart looks at one hit that was under way for long while others
// used up the rest of the quota. A denial that came before the slow hit's end,
// when one fewer than the quota was admitted beside it, shows that it had been
// counted already (cases.md C06).
func judgeCountedAtStart(t *trial) reports.Finding {
	slow := -1
	for _, i := range t.mine {
		if t.entries[i].Attack == t.q.Want.Slow && slow < 0 {
			slow = i
		}
	}
	limit, _ := tier.Binding(t.limits)
	switch {
	case slow < 0:
		return doubt("the question names no slow hit")
	case !t.q.Subject.Fresh:
		return doubt(notFresh)
	case limit.Shared():
		return doubt("others draw on the same counter, so that a denial shows nothing")
	}
	for i, limit := range t.limits {
		if f, over := t.overrun(i, limit); over {
			f.Limit = limit.String()
			return f
		}
	}
	if e := &t.entries[slow]; e.Outcome != evidence.Admitted {
		return doubt("the slow hit was not admitted: %s", t.ended(slow+1))
	}
	others := 0
	for _, d := range t.denied {
		if d.sent < t.entries[slow].Sent || d.received > t.entries[slow].Received {
			continue
		}
		beside := int64(t.beside(slow, d))
		if beside < limit.Quota {
			f := passSaying("entry %d was denied after %d of %s beside the slow one, %s before that one's answer ended",
				d.number, beside, count(limit.Quota, "admission"), at(t.entries[slow].Received-d.received))
			f.Limit = limit.String()
			return f
		}
		others++
	}
	if others > 0 {
		return doubt("%s denied while the slow one was under way, each after a whole quota of others", hitsWere(others))
	}
	return doubt("no hit was denied while the slow one was under way, so that when it was counted was not seen")
}

// beside is how many hits but one can have been counted before a denial.
func (t *trial) beside(slow int, d hit) (counted int) {
	for _, hits := range [][]hit{t.passed, t.unknown} {
		for _, h := range hits {
			if h.number != slow+1 && h.sent <= d.received {
				counted++
			}
		}
	}
	return counted
}
