package oracle

import (
	"github.com/floodgate-dev/floodgate/reports"
)

// judgeDenialsAre429 asks the limiter how many hits it denied: if more than
// came back as 429, some of those that the gateway turned away with another
// status were denials.
func judgeDenialsAre429(t *trial) reports.Finding {
	switch {
	case len(t.denied)+len(t.barred) == 0:
		return doubt("no hit was denied, so no denial was seen")
	case len(t.barred) == 0:
		return pass()
	}
	status := t.entries[t.barred[0].number-1].Status
	m, why := t.limiterMoved()
	if why != "" {
		return doubt("%s turned away with status %d; %s", hitsWere(len(t.barred)), status, why)
	}
	b := t.ledgerBounds(m.hits)
	// Where the book tells no users apart, those barred beside the subject may
	// be the ones that were denied.
	others := int64(m.hits.failedBefore + m.hits.refused - len(t.barred))
	booked := fmtLimited(m)
	switch excess := m.Limited - b.d; {
	case excess > int64(m.hits.lost)+b.e+others:
		return blame(cause{
			reports.Gateway, booked,
			"the limiter denied these hits, and the gateway answered them with another status",
		}, numbers(t.barred), "%s answered %d instead of 429, %s", hitsWere(len(t.barred)), status, firstAt(len(t.barred), t.barred[0].sent))
	case excess > 0:
		return doubt("%s turned away with status %d, and whether the limiter denied them cannot be told; %s, %d lost, at most %d unheard",
			hitsWere(len(t.barred)), status, booked, m.hits.lost, b.e)
	}
	return passSaying("%s turned away with status %d, none of which the limiter denied", hitsWere(len(t.barred)), status)
}
