package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// A limiter that keeps a limit when it is asked rightly is not thereby acquitted: it
// may err rarely, or about some callers alone. The gateway is blamed only where what
// it asked has left a trace as well.

// examination is what the limiter did when it was asked directly, nil if it was
// not.
func (t *trial) examination() *evidence.Examination {
	if h := t.q.Hearing; h != nil && h.Examined != nil && h.Examined.Missing == "" {
		return h.Examined
	}
	return nil
}

// keeps tells whether the limiter, asked directly as the policy demands, kept the
// subject's limits to the hit and showed a counter for each of them, and no other.
func (t *trial) keeps() bool {
	e := t.examination()
	binding, limited := tier.Binding(t.limits)
	if e == nil || !limited || e.Quota < 1 || e.Quota != binding.Quota || len(e.Counters) != len(t.limits) || len(t.limits) < len(t.q.Subject.Limits) {
		return false
	}
	quota := int(e.Quota)
	for _, asked := range []evidence.Asked{e.InTurn, e.Together} {
		if asked.Failed > 0 || asked.Calls <= quota || asked.Admitted != quota {
			return false
		}
	}
	for _, limit := range t.limits {
		shown := slices.ContainsFunc(e.Counters, func(c evidence.LiveCounter) bool {
			return slices.Contains(c.Values, e.Caller) && counts(c, limit) && c.Remaining == uint64(max(0, limit.Quota-e.Quota))
		})
		if !shown {
			return false
		}
	}
	return e.InTurn.Before == quota
}

// tellExamined is "asked directly about a fresh caller, the limiter admitted 10 of
// 13 calls in turn and 10 of 70 at once".
func tellExamined(e *evidence.Examination) string {
	return fmt.Sprintf("asked directly about a fresh caller, the limiter admitted %d of %s in turn and %d of %d at once",
		e.InTurn.Admitted, count(e.InTurn.Calls, "call"), e.Together.Admitted, e.Together.Calls)
}

// crossExamined adds to a cause that blames the limiter what it did when it was
// asked directly.
func (t *trial) crossExamined(c cause) cause {
	if e := t.examination(); e != nil && c.component == reports.Limiter {
		c.clause += "; " + tellExamined(e)
	}
	return c
}

// shownCounters is /counters as the case read it or, without that, as it was read
// after a rule had failed.
func (t *trial) shownCounters() *evidence.CounterBook {
	if t.q.Counters != nil || t.q.Hearing == nil {
		return t.q.Counters
	}
	return t.q.Hearing.Counters
}

// deniedUnasked blames the gateway where the limiter has no account of many denials
// that were seen, and keeps one of every call when it is asked directly.
func (t *trial) deniedUnasked(m movement, b ledgerBounds) (c cause, is bool) {
	e, missing := t.examination(), b.d-m.Limited
	// One that loses some denials of a hundred need not lose any of these.
	const few, share = 3, 10
	if e == nil || e.Booked == nil || m.Authorized > b.a+b.x || missing < few || missing*share < b.d {
		return c, false
	}
	var admitted, denied int64
	for _, asked := range []evidence.Asked{e.InTurn, e.Together} {
		if asked.Failed > 0 {
			return c, false
		}
		admitted, denied = admitted+int64(asked.Admitted), denied+int64(asked.Calls-asked.Admitted)
	}
	if denied < few*share || e.Booked.Authorized != admitted || e.Booked.Limited != denied {
		return c, false
	}
	return cause{
		reports.Gateway,
		fmt.Sprintf("%s, and booked each of them (limited_calls +%d)", tellExamined(e), denied),
		"the gateway denied hits without asking the limiter",
	}, true
}

// otherNamespace blames the gateway if the limiter decided about the subject, but
// never in the namespace of its limits.
func (t *trial) otherNamespace() (c cause, is bool) {
	before, after := t.q.Before.Limiter, t.q.After.Limiter
	if before == nil || after == nil || after.Namespaces == nil || t.q.Subject.Name == "" || len(t.limits) == 0 || len(t.passed) == 0 {
		return c, false
	}
	moved, elsewhere := int64(0), ""
	for namespace, calls := range after.Namespaces[t.q.Subject.Name] {
		switch calls -= before.Namespaces[t.q.Subject.Name][namespace]; {
		case calls > 0 && slices.ContainsFunc(t.limits, func(l tier.Limit) bool { return l.Scope == namespace }):
			return c, false
		case calls > moved || calls == moved && namespace < elsewhere:
			moved, elsewhere = calls, namespace
		}
	}
	if moved == 0 {
		return c, false
	}
	return cause{
		reports.Gateway,
		fmt.Sprintf("the limiter decided %s of the caller in its namespace %.80q, and none in %.80q, which has the limits", count(moved, "hit"), elsewhere, t.limits[0].Scope),
		"the gateway asked about another route's limits",
	}, true
}

// askedForMore blames the gateway if the limiter counts the subject under limits
// that the policy puts on none of its requests, and does not when it is asked
// directly.
func (t *trial) askedForMore() (c cause, is bool) {
	book := t.shownCounters()
	due, known := t.dueLimits()
	if book == nil || !known || !t.keeps() || !t.steady() {
		return c, false
	}
	for _, l := range book.Counters {
		if l.Limit.Namespace == t.limits[0].Scope && slices.Contains(l.Values, t.q.Subject.Name) && !slices.Contains(due, l.Limit.Name) {
			return cause{
				reports.Gateway,
				fmt.Sprintf("/counters shows the caller under %.80q, which does not apply to it; %s, and counted it under %s alone",
					l.Limit.Name, tellExamined(t.examination()), strings.Join(t.examination().Limits, ", ")),
				"the gateway asks about limits that the policy does not put on the caller",
			}, true
		}
	}
	return c, false
}

// dueLimits are the names of the limits that the policy puts on any request that the
// case made as the subject. known is false if that was not told of each.
func (t *trial) dueLimits() (names []string, known bool) {
	if t.q.Hearing == nil || t.q.Hearing.Left > 0 || t.q.Subject.Name == "" || len(t.limits) == 0 {
		return nil, false
	}
	for _, l := range t.q.Subject.Limits {
		names = append(names, l.Name)
	}
	heard := false
	for _, w := range t.q.Hearing.Words {
		switch {
		case w.Due == nil:
		case w.Due.LimitsUnknown:
			return nil, false
		case w.Due.User == t.q.Subject.Name:
			heard = true
			names = append(names, w.Due.Limits...)
		}
	}
	return names, heard
}

// steady tells whether nothing was changed or disturbed in the case: what is shown
// now was so all the time.
func (t *trial) steady() bool {
	w, before, after := t.q.Want, t.q.Before.Limiter, t.q.After.Limiter
	if w.Change != nil || w.Edit != nil || w.Failing != nil || w.Step != nil || w.Sizes != nil || w.Matching != nil || w.Formerly != nil {
		return false
	}
	if before == nil || after == nil || !sameSet(before.Instances, after.Instances) || len(after.Instances) != 1 {
		return false
	}
	missing, extra := differInForce(before.InForce, after.InForce)
	return len(missing)+len(extra) == 0
}

// notAskedFor blames the gateway if the limiter has counted the subject for other
// limits of the same call and not for this one, and counts for it when it is asked
// directly.
func (t *trial) notAskedFor(limit tier.Limit) (c cause, is bool) {
	if !t.keeps() || !t.steady() || len(t.countersOf(limit)) > 0 {
		return c, false
	}
	for _, other := range t.limits {
		of := t.countersOf(other)
		if len(of) == 0 || of[0].Remaining != uint64(max(0, other.Quota-int64(len(t.passed)))) {
			continue
		}
		return t.countedUnder(other), true
	}
	return c, false
}

// notAskedSince is notAskedFor where the limit has come to hold for the subject by an
// edit: the counter of another limit, whose windows are no longer, is still shown, and
// there is none of this one.
func (t *trial) notAskedSince(limit tier.Limit) (c cause, is bool) {
	if !t.keeps() || len(t.countersOf(limit)) > 0 {
		return c, false
	}
	for _, other := range t.limits {
		if len(t.countersOf(other)) > 0 && other.Window <= limit.Window {
			return t.countedUnder(other), true
		}
	}
	return c, false
}

// countedUnder blames the gateway for hits that the limiter has counted under another
// limit alone.
func (t *trial) countedUnder(other tier.Limit) cause {
	return cause{
		reports.Gateway,
		fmt.Sprintf("the hits are counted under %.80q; %s, and counted it under %s",
			other.Name, tellExamined(t.examination()), strings.Join(t.examination().Limits, ", ")),
		"the gateway does not ask about all limits that apply",
	}
}

// countedLate blames the gateway where hits came past the quota in numbers, and none
// of them left after the quota's last answer: as if a hit were counted when it is
// answered. The limiter, asked as many things at once, lets none past.
func (t *trial) countedLate() (c cause, is bool) {
	limit, _ := tier.Binding(t.limits)
	surplus, tried := int64(len(t.passed))-limit.Quota, int64(len(t.passed)+len(t.denied))-limit.Quota
	if !t.keeps() || !t.steady() || len(t.unknown) > 0 || surplus < manyPast || 2*surplus < tried || t.end()-t.start() >= limit.Window {
		return c, false
	}
	e := t.examination()
	if int64(e.Together.Calls)-e.Quota < tried || !t.showsUsed(limit) {
		return c, false
	}
	answers := make([]time.Duration, 0, len(t.passed))
	for _, h := range t.passed {
		answers = append(answers, h.received)
	}
	slices.Sort(answers)
	used := answers[limit.Quota-1]
	if slices.ContainsFunc(t.passed, func(h hit) bool { return h.sent > used }) {
		return c, false
	}
	return cause{
		reports.Gateway,
		fmt.Sprintf("none of them left after the answer at %s that used up the quota; %s", at(used), tellExamined(e)),
		"the gateway does not have a hit counted before it lets it pass, but when it is answered",
	}, true
}

// showsUsed tells whether /counters shows the subject's quota as used up: what was
// lost is counted by nobody.
func (t *trial) showsUsed(limit tier.Limit) bool {
	book := t.shownCounters()
	return book != nil && slices.ContainsFunc(book.Counters, func(c evidence.LiveCounter) bool {
		return slices.Contains(c.Values, t.q.Subject.Name) && counts(c, limit) && (c.Remaining == 0 || c.Remaining > uint64(limit.Quota))
	})
}

// manyPast is from how many hits past a quota on they are no race's.
const manyPast = 5
