package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeCountersTell holds /counters against the hits, for each limit whose
// first window had certainly not ended when the book was read. It asks nothing
// of the windows' sweep, because the limits may have been edited since.
func judgeCountersTell(t *trial) reports.Finding {
	read, why := t.freshCounters()
	switch {
	case why != "":
		return doubt("%s", why)
	case len(t.passed) == 0:
		return doubt("no hit was admitted, so no counter need be there")
	}
	judged := ""
	for _, limit := range t.limits {
		if !t.ownAndOpen(limit, read) {
			continue
		}
		if f := t.counterTells(limit); f.Verdict != reports.Pass {
			f.Limit = limit.String()
			return f
		}
		judged = limit.String()
	}
	if judged == "" {
		return doubt("no window was certainly open when /counters was read, %s after the first hit", at(read-t.passed[0].sent))
	}
	f := pass()
	f.Limit = judged
	return f
}

// counterBook is when /counters had been read, on the ledger's clock; why says
// what stands against judging it.
func (t *trial) counterBook() (read time.Duration, why string) {
	switch book := t.q.Counters; {
	case book == nil:
		return 0, "/counters was not read"
	case book.Missing != "":
		return 0, fmt.Sprintf("/counters was not read: %.200q", book.Missing)
	default:
		return book.At.Sub(t.q.Began), ""
	}
}

// freshCounters is counterBook of a subject none of whose counters was live before.
func (t *trial) freshCounters() (read time.Duration, why string) {
	if read, why = t.counterBook(); why == "" && !t.q.Subject.Fresh {
		why = notFresh
	}
	return read, why
}

// ownAndOpen tells whether a limit's counter is the subject's alone, and its first
// window had certainly not ended by a moment.
func (t *trial) ownAndOpen(limit tier.Limit, by time.Duration) bool {
	return !t.sharedLimit(limit) && by < t.passed[0].sent+limit.Window-Edge(limit.Window)
}

// counterTells judges the subject's counter of one limit.
func (t *trial) counterTells(limit tier.Limit) reports.Finding {
	of := t.countersOf(limit)
	least := int64(len(t.passed))
	most := least + int64(t.tally.unknown())
	if t.callsPerHit() > 1 {
		most += int64(len(t.denied))
	}
	if len(of) == 0 {
		missing := fmt.Sprintf("/counters has no counter for %s admitted", hitsWere(int(least)))
		if c, is := t.notAskedFor(limit); is {
			return t.doubtIfUnheard(blame(c, nil, "%s", missing))
		}
		return t.doubtIfUnheard(limiterShows(missing, ""))
	}
	c := of[0]
	left := func(counted int64) uint64 { return uint64(max(0, limit.Quota-counted)) }
	switch {
	case c.Remaining > uint64(max(limit.Quota, c.Limit.MaxValue)):
		return limiterShows(fmt.Sprintf("/counters says that %d of %d are left after %s admitted: the number has wrapped below zero",
			c.Remaining, c.Limit.MaxValue, hitsWere(int(least))),
			"; Limitador up to 2.4 is known to compute it without a sign, after an overshoot or a lowered quota")
	case c.Limit.MaxValue != limit.Quota:
		return limiterShows(fmt.Sprintf("/counters shows a quota of %d where %d is in force", c.Limit.MaxValue, limit.Quota),
			"; Limitador up to 2.4 is known to go on showing the quota that a counter was made with")
	case c.Remaining < left(most) || c.Remaining > left(least):
		return t.doubtIfUnheard(limiterShows(fmt.Sprintf("/counters says that %d of %d are left after %s admitted",
			c.Remaining, limit.Quota, hitsWere(int(least))), ""))
	}
	return pass()
}

func limiterShows(reason, known string) reports.Finding {
	return blame(cause{reports.Limiter, "", "the limiter misstates its own counter" + known}, nil, "%s", reason)
}

// doubtIfUnheard takes a fail back where calls may not have reached the limiter.
func (t *trial) doubtIfUnheard(f reports.Finding) reports.Finding {
	if g, why := t.gatewayMoved(); why != "" || g.Errors > 0 {
		return doubt("%s, but not every call need have reached the limiter", f.Reason)
	}
	return f
}

// countersOf are the subject's counters of a limit, whatever quota and name
// they are shown with: neither is part of a counter's identity (cases.md G4).
func (t *trial) countersOf(limit tier.Limit) (of []evidence.LiveCounter) {
	book := t.shownCounters()
	if book == nil {
		return nil
	}
	for _, c := range book.Counters {
		if slices.Contains(c.Values, t.q.Subject.Name) && counts(c, limit) {
			of = append(of, c)
		}
	}
	return of
}

// counts tells whether a counter is one of the limit's.
func counts(c evidence.LiveCounter, limit tier.Limit) bool {
	return c.Limit.Namespace == limit.Scope && c.Limit.Seconds == int64(limit.Window/time.Second) &&
		slices.ContainsFunc(c.Limit.Conditions, func(condition string) bool { return strings.Contains(condition, `"`+limit.ID+`"`) })
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// strangeKeys are the values that begin with the subject's name, are nobody else's,
// and under which /counters shows hits of the subject's limits: whoever made the
// limiter's questions counted the subject as several callers.
func (t *trial) strangeKeys() (keys []string) {
	book := t.shownCounters()
	if book == nil || t.q.Subject.Name == "" {
		return nil
	}
	names := map[string]bool{t.q.Subject.Name: true}
	for i := range t.entries {
		_, name, _ := strings.Cut(t.entries[i].Identity, "/")
		names[name] = true
	}
	for _, c := range book.Counters {
		if !slices.ContainsFunc(t.limits, func(l tier.Limit) bool { return counts(c, l) }) || slices.Contains(c.Values, t.q.Subject.Name) {
			continue
		}
		for _, value := range c.Values {
			// premiumuser10 is another caller than premiumuser1.
			rest, begins := strings.CutPrefix(value, t.q.Subject.Name)
			if begins && !names[value] && strings.IndexFunc(rest, isWord) != 0 {
				keys = append(keys, value)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// judgeRefusalsOpenNothing looks for a window that runs with nothing counted
// in it: a call that another limit refused has opened it, and it will end too
// early for its owner (cases.md W14).
func judgeRefusalsOpenNothing(t *trial) reports.Finding {
	_, why := t.counterBook()
	switch {
	case why != "":
		return doubt("%s", why)
	case len(t.denied) == 0:
		return doubt("no hit was denied, so no refused call was seen")
	case len(t.limits) < 2:
		return doubt("one limit applies to the subject: a refused call has no other window to open")
	}
	counted := 0
	for _, limit := range t.limits {
		for _, c := range t.countersOf(limit) {
			if c.Limit.MaxValue > 0 && c.Remaining == uint64(c.Limit.MaxValue) {
				f := t.weak([]string{weakness.RefusalsOpenWindows}, cause{
					reports.Limiter, "",
					"a call that one limit refused opened the window of another; Limitador up to 2.4 is known to do so for limits with variables, in about half of the calls",
				}, numbers(t.denied), "a window of %d s runs, with %d s left, and none of its %d hits is counted", c.Limit.Seconds, c.ExpiresIn, c.Limit.MaxValue)
				f.Limit = limit.String()
				return f
			}
			counted++
		}
	}
	if counted == 0 {
		return doubt("/counters shows no counter of the subject, so it cannot show one without a count")
	}
	return pass()
}
