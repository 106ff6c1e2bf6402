package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// movement is how a book of the limiter's calls moved between the snapshots,
// and the hits that it is to be compared with.
type movement struct {
	evidence.Calls
	// hits are the subject's where the book tells users apart, else those of
	// the whole ledger.
	hits tally
	// lost are the calls that the limiter booked on nobody.
	lost int64
	// still is true where nobody's calls moved, so neither did the subject's.
	still bool
}

// limiterMoved compares the limiter's two snapshots; why says what stands
// against the comparison, "" if nothing does.
func (t *trial) limiterMoved() (m movement, why string) {
	return t.moved("limiter", t.q.Before.Limiter, t.q.After.Limiter)
}

func (t *trial) prometheusMoved() (m movement, why string) {
	return t.moved("prometheus", t.q.Before.Prometheus, t.q.After.Prometheus)
}

func (t *trial) moved(book string, before, after *evidence.LimiterBook) (m movement, why string) {
	if before == nil || after == nil {
		return m, t.missing(book)
	}
	if !sameSet(before.Instances, after.Instances) {
		return m, fmt.Sprintf("the limiter's processes changed between the snapshots of the %s book, so its counters started anew", book)
	}
	if !sameSet(before.Scopes, after.Scopes) {
		return m, fmt.Sprintf("the %s book was read for other namespaces before than after, so what moved is not known", book)
	}
	from, to := before.Total, after.Total
	m.hits, m.still = t.whole, still(before, after)
	switch {
	case after.Users != nil && t.q.Subject.Name != "":
		from, to = before.Users[t.q.Subject.Name], after.Users[t.q.Subject.Name]
		m.hits = t.tally
	case !t.q.Alone && m.still:
		m.hits = t.tally
	case !t.q.Alone:
		return m, fmt.Sprintf("the %s book does not tell the subject's calls from those of others that ran beside it", book)
	}
	m.Calls = minus(to, from)
	m.lost = after.Unlabelled.Authorized + after.Unlabelled.Limited - before.Unlabelled.Authorized - before.Unlabelled.Limited
	// Limits on tokens are asked in calls of their own, which may name the caller.
	tokens := len(t.limits) < len(t.q.Subject.Limits)
	if (m.Calls == (evidence.Calls{}) || tokens) && m.lost > 0 && len(t.limits) > 0 && len(owned(t.limits)) == 0 {
		// A label that is made of a counter's entry is empty where none names callers.
		return m, fmt.Sprintf("the %s book names nobody on calls of limits that are not counted by the caller", book)
	}
	if m.Authorized < 0 || m.Limited < 0 || m.Hits < 0 {
		return m, fmt.Sprintf("the %s book went backwards between the snapshots, so its counters started anew", book)
	}
	return m, ""
}

// still tells whether a book shows no call of anybody between two snapshots.
func still(before, after *evidence.LimiterBook) bool {
	return after.Total == before.Total && after.Unlabelled == before.Unlabelled
}

// missing is why a book was not read.
func (t *trial) missing(book string) string {
	for _, s := range []evidence.Snapshot{t.q.Before, t.q.After} {
		if why := s.Missing[book]; why != "" {
			return fmt.Sprintf("the %s book was not read: %.200q", book, why)
		}
	}
	return fmt.Sprintf("the %s book was not read", book)
}

func minus(a, b evidence.Calls) evidence.Calls {
	return evidence.Calls{Authorized: a.Authorized - b.Authorized, Limited: a.Limited - b.Limited, Hits: a.Hits - b.Hits}
}

// gatewayMoved is how the gateway's counters moved, of all its traffic.
func (t *trial) gatewayMoved() (moved evidence.GatewayBook, why string) {
	before, after := t.q.Before.Gateway, t.q.After.Gateway
	if before == nil || after == nil {
		return moved, t.missing("gateway")
	}
	moved = evidence.GatewayBook{
		Hits: after.Hits - before.Hits, Misses: after.Misses - before.Misses,
		Allowed: after.Allowed - before.Allowed, Denied: after.Denied - before.Denied,
		Errors: after.Errors - before.Errors,
	}
	if min(moved.Hits, moved.Misses, moved.Allowed, moved.Denied, moved.Errors) < 0 {
		return moved, "the gateway's counters went backwards between the snapshots, so it restarted"
	}
	return moved, ""
}

// unheard is how many of the subject's admitted hits the limiter may not have
// heard of, at most. Its own book tells best: it also shows the calls that the
// gateway never made. Else the gateway's errors do, which count a failed call
// of anybody's. known is false if neither was read.
func (t *trial) unheard() (atMost int64, known bool) {
	passed, unknown := int64(t.tally.passed()), int64(t.tally.unknown())
	if m, why := t.limiterMoved(); why == "" && t.callsPerHit() == 1 && m.hits == t.tally {
		return max(0, passed+unknown-m.Authorized), true
	}
	if g, why := t.gatewayMoved(); why == "" {
		return g.Errors, true
	}
	return passed, false
}
