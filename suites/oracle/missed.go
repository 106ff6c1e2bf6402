package oracle

import (
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeMissedScrapesDoubt is about the way to Prometheus and about the suite's
// own reader: while scrapes are missed there is no book, not an old one for a new
// one; afterwards there is one (cases.md M10).
func judgeMissedScrapesDoubt(t *trial) reports.Finding {
	outage, after := t.q.Outage, t.q.After.Prometheus
	limiter, why := t.limiterMoved()
	switch {
	case outage == nil:
		return doubt("the question names no time in which scrapes were missed")
	case why != "":
		return doubt("%s", why)
	case limiter.Authorized+limiter.Limited == 0:
		return doubt("no hit of the subject was counted, so a missed scrape missed nothing")
	case outage.Prometheus != nil && t.ofSubject(outage.Prometheus) == t.ofSubject(t.q.After.Limiter):
		return doubt("Prometheus' book was whole meanwhile, so no scrape was missed")
	case outage.Prometheus != nil:
		return blame(cause{reports.Suite, "", "the reader of Prometheus takes a sample from before the hits for one from after them"}, nil,
			"while its scrapes were missed, a book of Prometheus was read, as of %s", outage.Prometheus.Scraped.Format("15:04:05.000"))
	case after == nil:
		return doubt("Prometheus' book did not come back: %s", t.missing("prometheus"))
	}
	return passSaying("while scrapes were missed, Prometheus' book was missing: %.200q", outage.Missing["prometheus"])
}

// judgeFirstCallsTold holds raw samples against the caller's own count, from the
// first call of a caller nobody had seen. increase() begins at the first sample,
// so it misses what that shows (cases.md M07): how much is told, for whoever draws
// a dashboard or a bill with it.
func judgeFirstCallsTold(t *trial) reports.Finding {
	before, after := t.q.Before.Prometheus, t.q.After.Prometheus
	switch {
	case before == nil || after == nil:
		return doubt("%s", t.missing("prometheus"))
	case after.Users == nil || t.q.Subject.Name == "":
		return doubt("Prometheus' samples name no caller")
	case t.ofSubject(before) != evidence.Calls{}:
		return doubt("Prometheus had seen the subject before, so which was the subject's first call is not known")
	case t.scrapedTooEarly() > 0:
		return doubt("Prometheus' sample was taken %s before the last hit was over", at(t.scrapedTooEarly()))
	}
	raw, b := t.ofSubject(after), t.ledgerBounds(t.tally)
	if f, broken := b.outside(movement{Calls: raw, hits: t.tally}); broken {
		f.Reason = "Prometheus' raw samples show " + f.Reason
		if m, why := t.limiterMoved(); why == "" && m.hits == t.tally {
			if _, also := b.outside(m); !also {
				f.Component, f.Attribution = reports.Prometheus, "the limiter's own text tells what the caller saw, so the scrape lost or added it"
			}
		}
		return f
	}
	shown := t.q.Increase
	switch {
	case shown == nil:
		return doubt("the question does not say what increase() shows")
	case shown.Missing != "":
		return doubt("increase() could not be read: %.200q", shown.Missing)
	}
	return passSaying("raw samples show authorized_calls %d and limited_calls %d; increase() shows %.1f and %.1f of them, and a bill drawn with it loses the rest",
		raw.Authorized, raw.Limited, shown.Authorized, shown.Limited)
}

// ofSubject is what a book says of the subject.
func (t *trial) ofSubject(b *evidence.LimiterBook) evidence.Calls {
	if b.Users == nil {
		return evidence.Calls{}
	}
	return b.Users[t.q.Subject.Name]
}
