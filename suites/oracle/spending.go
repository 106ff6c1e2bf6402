package oracle

import (
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// judgeDenialsSpend reads off /counters what denied hits have spent. Limits that
// are asked for in one call move together or not at all; across calls a hit can
// be counted by one limit and then denied by another, which is told (cases.md
// K06, G3).
func judgeDenialsSpend(t *trial) reports.Finding {
	read, why := t.freshCounters()
	switch {
	case why != "":
		return doubt("%s", why)
	case len(t.limits) < 2:
		return doubt("one limit applies: there is no other quota that a denial could spend")
	case len(t.denied) == 0:
		return doubt("no hit was denied")
	case len(t.passed) == 0:
		return doubt("no hit was admitted, so no counter need be there")
	}
	counted := int64(len(t.passed) + t.tally.unknown())
	judged := 0
	var spent []string
	for _, limit := range t.limits {
		if !t.ownAndOpen(limit, read) {
			continue
		}
		of := t.countersOf(limit)
		if len(of) == 0 || of[0].Limit.MaxValue != limit.Quota || of[0].Remaining > uint64(limit.Quota) {
			continue
		}
		judged++
		beyond := limit.Quota - int64(of[0].Remaining) - counted
		if beyond <= 0 {
			continue
		}
		spent = append(spent, fmt.Sprintf("%d of %s", beyond, limit))
		if !t.deniedElsewhere() || beyond > int64(len(t.denied)) {
			f := blame(cause{
				reports.Limiter, fmt.Sprintf("/counters: %d of %d left after %d admitted and %d denied", of[0].Remaining, limit.Quota, len(t.passed), len(t.denied)),
				"a call that one limit refuses is counted by another limit of the same call",
			}, numbers(t.denied), "denied hits spent %d of the quota of another limit", beyond)
			f.Limit = limit.String()
			return f
		}
	}
	switch {
	case judged < 2:
		return doubt("/counters shows %s of the subject whose windows were certainly open, of %d", count(judged, "counter"), len(t.limits))
	case len(spent) > 0:
		return passSaying("%s denied and spent %s all the same: limits of requests and of tokens are asked for one call after the other",
			hitsWere(len(t.denied)), strings.Join(spent, ", "))
	}
	return passSaying("%s denied and spent nothing of any limit", hitsWere(len(t.denied)))
}

// deniedElsewhere reports whether a limit of another call than that which asks about
// requests can have denied.
func (t *trial) deniedElsewhere() bool { return len(t.limits) < len(t.q.Subject.Limits) }
