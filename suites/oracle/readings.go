package oracle

import (
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeNeverBackwards compares readings of the limiter's counters, one with the
// next. A process' counters only grow: one that shrinks or vanishes while the
// process goes on is billed as a restart that never was. A process may end
// between its name and its page: only a next reading of the same process shows
// that it did not.
func judgeNeverBackwards(t *trial) reports.Finding {
	books, why := t.limiterReadings()
	if why != "" {
		return doubt("%s", why)
	}
	steady := 0
	for i := 1; i < len(books); i++ {
		before, after := books[i-1], books[i]
		if !sameSet(before.Instances, after.Instances) {
			continue
		}
		steady++
		user, was, is, shrunk := shrinks(before, after)
		switch {
		case !shrunk:
			continue
		case i+1 == len(books) || !sameSet(after.Instances, books[i+1].Instances):
			return doubt("the counters of %q went backwards, and no later reading tells whether the limiter restarted meanwhile", user)
		}
		return blame(cause{reports.Limiter, "", "the same process answers, so its counters may only grow"}, nil,
			"reading %d of %d shows %q with authorized_calls %d, limited_calls %d after %d, %d in the one before, without a restart",
			i+1, len(books), user, is.Authorized, is.Limited, was.Authorized, was.Limited)
	}
	if steady == 0 {
		return doubt("no process was read twice, so that its counters were not seen to move")
	}
	return pass()
}

// shrinks finds a caller whose calls are fewer than before.
func shrinks(before, after *evidence.LimiterBook) (user string, was, is evidence.Calls, shrunk bool) {
	for user, was := range before.Users {
		if is := after.Users[user]; less(is, was) {
			return user, was, is, true
		}
	}
	return "everybody", before.Total, after.Total, less(after.Total, before.Total)
}

func less(a, b evidence.Calls) bool {
	return a.Authorized < b.Authorized || a.Limited < b.Limited || a.Hits < b.Hits
}

// judgeCountsAcross adds up what each process counted, from its first reading to
// its last, and holds the sum against what the caller saw (cases.md M08).
func judgeCountsAcross(t *trial) reports.Finding {
	books, why := t.limiterReadings()
	if why != "" {
		return doubt("%s", why)
	}
	sum, why := t.across(books, books)
	if why != "" {
		return doubt("%s", why)
	}
	b := t.ledgerBounds(t.tally)
	if f, broken := b.outside(movement{Calls: sum, hits: t.tally}); broken {
		f.Reason = "over all processes, " + f.Reason
		return f
	}
	switch {
	case sum.Authorized == b.a && sum.Limited == b.d:
		return passSaying("over all processes, authorized_calls +%d and limited_calls +%d", sum.Authorized, sum.Limited)
	case b.calls > 1:
		return doubt("one hit can make %d calls of the limiter, so the sum only roughly tells of its hits", b.calls)
	case b.x == 0 && (!b.errorsKnown || !t.q.Alone):
		return doubt("over all processes, authorized_calls +%d and limited_calls +%d differ from %d admitted and %d denied, and whose calls were not heard is not known: others ran beside",
			sum.Authorized, sum.Limited, b.a, b.d)
	}
	return passSaying("over all processes, authorized_calls +%d and limited_calls +%d are within what %d admitted, %d denied, %d unknown and the gateway's errors +%d allow",
		sum.Authorized, sum.Limited, b.a, b.d, b.x, b.e)
}

// judgePrometheusAcross wants the same sum of Prometheus' raw samples.
func judgePrometheusAcross(t *trial) reports.Finding {
	limiters, why := t.limiterReadings()
	if why != "" {
		return doubt("%s", why)
	}
	var samples []*evidence.LimiterBook
	for _, r := range t.q.Readings {
		if r.Prometheus == nil {
			return doubt("the prometheus book was not read: %.200q", r.Missing["prometheus"])
		}
		samples = append(samples, r.Prometheus)
	}
	want, why := t.across(limiters, limiters)
	if why != "" {
		return doubt("%s", why)
	}
	got, why := t.across(samples, limiters)
	if why != "" {
		return doubt("prometheus: %s", why)
	}
	const differ = "over all processes, Prometheus' raw samples show authorized_calls +%d, limited_calls +%d where the limiter's own text shows +%d, +%d"
	numbers := []any{got.Authorized, got.Limited, want.Authorized, want.Limited}
	off := minus(got, want)
	switch slack := int64(t.tally.unknown()); {
	case off == (evidence.Calls{}):
		return pass()
	case max(abs(off.Authorized), abs(off.Limited)) <= slack:
		return doubt(differ+"; hits without an answer may explain it", numbers...)
	}
	return blame(cause{reports.Prometheus, "", "the limiter's own text was read, so what differs was lost or added by the scrape"}, nil, differ, numbers...)
}

func abs(n int64) int64 { return max(n, -n) }

// across sums how a book moved over the lives of the limiter's processes, which
// the limiter's own readings tell apart: a process begins at 0.
func (t *trial) across(books, processes []*evidence.LimiterBook) (sum evidence.Calls, why string) {
	// A total would hold the calls by which a stack finds its limiter ready.
	names := slices.ContainsFunc(books, func(b *evidence.LimiterBook) bool { return len(b.Users) > 0 })
	mute := slices.ContainsFunc(books, func(b *evidence.LimiterBook) bool { return b.Users == nil })
	if t.q.Subject.Name == "" || mute && !names {
		return sum, "the book tells no user apart, so what the subject was counted is not known"
	}
	of := func(b *evidence.LimiterBook) evidence.Calls { return b.Users[t.q.Subject.Name] }
	begin, lives := of(books[0]), 1
	for i := 1; i < len(books); i++ {
		if !sameSet(processes[i-1].Instances, processes[i].Instances) {
			sum = added(sum, minus(of(books[i-1]), begin))
			begin = evidence.Calls{}
			lives++
		}
	}
	sum = added(sum, minus(of(books[len(books)-1]), begin))
	if lives == 1 {
		return sum, "the same processes answer as before, so no restart was seen"
	}
	if sum.Authorized < 0 || sum.Limited < 0 {
		return sum, "the limiter book went backwards between the readings, so a restart was not seen"
	}
	return sum, ""
}

func added(a, b evidence.Calls) evidence.Calls {
	return evidence.Calls{Authorized: a.Authorized + b.Authorized, Limited: a.Limited + b.Limited, Hits: a.Hits + b.Hits}
}

// limiterReadings are the limiter's books of the case's readings.
func (t *trial) limiterReadings() (books []*evidence.LimiterBook, why string) {
	for _, r := range t.q.Readings {
		if r.Limiter == nil {
			return nil, "the limiter book was not read: " + r.Missing["limiter"]
		}
		books = append(books, r.Limiter)
	}
	if len(books) < 2 {
		return nil, "the question names no readings that could be compared"
	}
	return books, ""
}
