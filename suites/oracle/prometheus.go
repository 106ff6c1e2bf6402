package oracle

import (
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func judgePrometheusAgrees(t *trial) reports.Finding {
	limiter, why := t.limiterMoved()
	if why != "" {
		return doubt("%s", why)
	}
	if lost := t.labelLostByScrape(limiter); lost != nil {
		return *lost
	}
	prometheus, why := t.prometheusMoved()
	if why != "" {
		return doubt("%s", why)
	}
	if prometheus.hits != limiter.hits && !prometheus.still && !limiter.still {
		return doubt("the limiter's book tells users apart and Prometheus' does not, or the other way round, so they cannot be compared")
	}
	if late := t.scrapedTooEarly(); late > 0 {
		return doubt("Prometheus' sample was taken %s before the last hit was over", at(late))
	}
	if prometheus.Calls == limiter.Calls {
		return pass()
	}
	behind := t.behindAtStart()
	slack := int64(max(limiter.hits.unknown(), prometheus.hits.unknown()))
	off := minus(prometheus.Calls, limiter.Calls)
	within := func(off, behind int64) bool { return -slack <= off && off <= behind+slack }
	numbers := []any{
		prometheus.Authorized, prometheus.Limited, prometheus.Hits, limiter.Authorized, limiter.Limited, limiter.Hits,
	}
	const differ = "Prometheus shows authorized_calls +%d, limited_calls +%d, authorized_hits +%d where the limiter's own text shows +%d, +%d, +%d"
	if within(off.Authorized, behind.Authorized) && within(off.Limited, behind.Limited) && t.unitsWithin(off.Hits, behind.Hits, slack) {
		return doubt(differ+"; hits without an answer, or a sample from before the first snapshot, may explain it", numbers...)
	}
	return blame(cause{
		reports.Prometheus, "", "the limiter's own text was read, so what differs was lost or added by the scrape",
	}, nil, differ, numbers...)
}

// labelLostByScrape finds samples that name nobody although they were taken after
// the limiter had named the subject: the way to Prometheus took the label off.
func (t *trial) labelLostByScrape(limiter movement) *reports.Finding {
	text, samples := t.q.After.Limiter, t.q.After.Prometheus
	if text.Users == nil || samples == nil || samples.Users != nil || t.q.Subject.Name == "" ||
		limiter.Authorized+limiter.Limited <= int64(t.tally.unknown()) || t.scrapedTooEarly() > 0 {
		return nil
	}
	f := blame(cause{reports.Prometheus, "", "the limiter's own text was read, so the scrape or its relabelling lost the label"}, nil,
		"Prometheus' samples name no caller where the limiter's own text shows the subject with authorized_calls +%d, limited_calls +%d",
		limiter.Authorized, limiter.Limited)
	return &f
}

// unitsWithin bounds the difference of units, which a single answer with many
// tokens can move far.
func (t *trial) unitsWithin(off, behind, slack int64) bool {
	if slack > 0 && len(t.limits) < len(t.q.Subject.Limits) {
		return true
	}
	return -slack <= off && off <= behind+slack
}

// scrapedTooEarly is how long before the end of the last hit the sample was
// taken, or before the snapshot began where the ledger's clock is not dated.
func (t *trial) scrapedTooEarly() time.Duration {
	over := t.q.After.At
	if !t.q.Began.IsZero() {
		var last time.Duration
		for i := range t.entries {
			if e := &t.entries[i]; !t.outside(e) {
				last = max(last, e.Received)
			}
		}
		over = t.q.Began.Add(last)
	}
	return over.Sub(t.q.After.Prometheus.Scraped)
}

// behindAtStart is what Prometheus had not scraped yet when the first snapshot
// was taken: its delta shows that too.
func (t *trial) behindAtStart() evidence.Calls {
	limiter, prometheus := t.q.Before.Limiter, t.q.Before.Prometheus
	from, to := prometheus.Total, limiter.Total
	if t.q.After.Limiter.Users != nil && t.q.Subject.Name != "" {
		from, to = prometheus.Users[t.q.Subject.Name], limiter.Users[t.q.Subject.Name]
	}
	behind := minus(to, from)
	return evidence.Calls{
		Authorized: max(0, behind.Authorized), Limited: max(0, behind.Limited), Hits: max(0, behind.Hits),
	}
}

// judgeUntouched wants no call of the limiter for the subject, or for anybody
// where the question had the stack to itself.
func judgeUntouched(t *trial) reports.Finding {
	m, why := t.limiterMoved()
	if why != "" {
		return doubt("%s", why)
	}
	if m.Calls == (evidence.Calls{}) {
		return pass()
	}
	who := cause{reports.Gateway, "", "the gateway asked the limiter for hits that must not count"}
	if c, is := t.letInByWord(); is {
		who = c
	} else if let := t.having(isPassed); len(let) > 0 && m.Authorized+m.Limited <= int64(t.tally.limitable()) {
		// The gateway asked for those that nobody stopped.
		who = t.letIn()
	}
	return blame(who, nil,
		"the limiter booked authorized_calls +%d, limited_calls +%d, authorized_hits +%d for %s that must not count",
		m.Authorized, m.Limited, m.Hits, count(m.hits.sent, "hit"))
}

// judgeLimitsInForce compares what the limiter says it enforces with the policy.
func judgeLimitsInForce(t *trial) reports.Finding {
	if len(t.q.Want.InForce) == 0 {
		return doubt("the question does not say which limits should be in force")
	}
	if t.q.After.Limiter == nil {
		return doubt("%s", t.missing("limiter"))
	}
	missing, extra := differInForce(t.q.Want.InForce, t.q.After.Limiter.InForce)
	if len(missing)+len(extra) == 0 {
		return pass()
	}
	f := blame(cause{reports.Limiter, "", "the limiter's own list of limits differs from the policy's"}, nil,
		"of %s in the policy %d are not in force, and %d are in force that the policy does not have",
		count(len(t.q.Want.InForce), "limit"), len(missing), len(extra))
	for _, l := range missing[:min(3, len(missing))] {
		f.Reason += "; missing: " + showInForce(l)
	}
	for _, l := range extra[:min(3, len(extra))] {
		f.Reason += "; not in the policy: " + showInForce(l)
	}
	if binding, ok := tier.Binding(t.limits); ok {
		f.Limit = binding.String()
	}
	return f
}
