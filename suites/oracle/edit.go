package oracle

import (
	"fmt"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Edit is a policy that was put before the system while hits were fired. Times
// are on the ledger's clock, and 0 is a moment that never came.
type Edit struct {
	// What says what was edited, such as "the quota was raised".
	What string `json:"what"`
	// Asked is when the policy was handed over, Put when that had been
	// accepted, and Watched until when the system was looked at.
	Asked   time.Duration `json:"asked"`
	Put     time.Duration `json:"put"`
	Watched time.Duration `json:"watched"`
	// Tells is false where the system says nothing of its policies. Told is when
	// its status first said that this policy is enforced, which proves nothing
	// (sut.md 0.1).
	Tells bool          `json:"tells"`
	Told  time.Duration `json:"told,omitempty"`
	// Shown are when the /limits of each limiter first showed the policy.
	Shown []time.Duration `json:"shown,omitempty"`
	// Refused are the refused loads that each limiter's status told after the
	// edit, where the edit is one that cannot be read.
	Refused []int64 `json:"refused,omitempty"`
	// Budget is how long after Put, or after Told where a rule says so, the
	// policy may take to be in force.
	Budget time.Duration `json:"budget"`
	// Formerly are the subject's limits before the edit.
	Formerly []tier.Limit `json:"formerly,omitempty"`
}

// inForce is when every limiter had shown the policy; ok is false if one did not.
func (e *Edit) inForce() (last time.Duration, ok bool) {
	for _, shown := range e.Shown {
		if shown == 0 {
			return 0, false
		}
		last = max(last, shown)
	}
	return last, len(e.Shown) > 0
}

// eventually says when the last limiter showed the policy after all.
func (e *Edit) eventually() string {
	if last, ok := e.inForce(); ok {
		return fmt.Sprintf("the last one did after %s", at(last-e.Put))
	}
	return fmt.Sprintf("not all did in %s", at(e.Watched-e.Put))
}

// status says what the system told of the policy, and when.
func (e *Edit) status() string {
	switch {
	case !e.Tells:
		return "the system tells no status of its policies"
	case e.Told == 0:
		return fmt.Sprintf("its status did not say Enforced=True in %s", at(e.Watched-e.Put))
	}
	return fmt.Sprintf("its status said Enforced=True %s after it was put", at(e.Told-e.Put))
}

// judgeShownInTime holds the way of an edit, from the policy to the limiters,
// to its budget.
func judgeShownInTime(t *trial) reports.Finding {
	edit := t.q.Want.Edit
	switch {
	case edit == nil:
		return doubt("the question names no edit")
	case len(edit.Shown) == 0:
		return doubt("%s: no limiter's /limits could be read, so when it was in force is not known", edit.What)
	}
	late, last := 0, time.Duration(0)
	for _, shown := range edit.Shown {
		last = max(last, shown)
		if shown == 0 || shown-edit.Put > edit.Budget {
			late++
		}
	}
	switch {
	case late == 0:
		return passSaying("%s: %s showed it %s after it was put, and %s; meanwhile %s",
			edit.What, limiters(len(edit.Shown)), at(max(0, last-edit.Put)), edit.status(), t.meanwhile(edit.Asked, last))
	case edit.Watched < edit.Put+edit.Budget:
		return doubt("%s: %d of %s did not show it in %s, and no longer was looked", edit.What, late, limiters(len(edit.Shown)), at(edit.Watched-edit.Put))
	}
	blamed := cause{reports.Unattributed, edit.eventually() + "; " + edit.status(), "the control plane did not bring the policy's limits, or the limiter did not load them"}
	if late < len(edit.Shown) {
		blamed.component, blamed.conclusion = reports.Limiter, "other limiters have loaded the same limits"
	}
	return blame(blamed, nil, "%s: %d of %s did not show it %s after it was put", edit.What, late, limiters(len(edit.Shown)), at(edit.Budget))
}

// limiters is "1 limiter", "2 limiters".
func limiters(n int) string { return count(n, "limiter") }

// meanwhile says how the subject's hits ended that were under way in a span.
func (t *trial) meanwhile(from, to time.Duration) string {
	under := func(outcomes ...evidence.Outcome) int {
		n := 0
		for _, i := range t.mine {
			e := &t.entries[i]
			for _, outcome := range outcomes {
				if e.Outcome == outcome && e.Received >= from && e.Sent <= to {
					n++
				}
			}
		}
		return n
	}
	text := fmt.Sprintf("%d admitted, %d denied", under(evidence.Admitted), under(evidence.Denied))
	if others := under(evidence.Refused, evidence.Failed, evidence.Lost); others > 0 {
		text += fmt.Sprintf(", %d refused, failed or lost", others)
	}
	return text
}

// edited is a case of an edited counter, as far as it can be judged at all.
type edited struct {
	*Edit
	was, is tier.Limit
	// shown is when the edit certainly was in force.
	shown time.Duration
}

// edited finds the binding limits before and after the edit, and says what
// stands against judging what became of their counters.
func (t *trial) edited() (e edited, why string) {
	e.Edit = t.q.Want.Edit
	if e.Edit == nil {
		return e, "the question names no edit"
	}
	var limited, was bool
	e.was, was = tier.Binding(e.Formerly)
	e.is, limited = tier.Binding(t.limits)
	e.shown, _ = e.inForce()
	switch {
	case !was || !limited:
		return e, e.What + ": no limit of hits applied before, or none after"
	case !t.q.Subject.Fresh:
		return e, notFresh
	case len(t.inReach()) > 1:
		return e, e.What + ": several limits apply, and which of them has denied is not told"
	case t.sharedLimit(e.is):
		return e, e.What + ": others draw on the same counter"
	case e.shown == 0:
		return e, e.What + ": when it was in force is not known, because not every limiter showed it"
	case t.tally.unknown() > 0:
		return e, fmt.Sprintf("%s: %s without an answer may have been counted", e.What, hitsWere(t.tally.unknown()))
	}
	return e, ""
}

// judgeKeepsCounters is judged on a subject who fired until its quota was used,
// and on, while the quota was raised (cases.md P02).
func judgeKeepsCounters(t *trial) reports.Finding {
	e, why := t.edited()
	switch {
	case why != "":
		return doubt("%s", why)
	case e.is.Quota <= e.was.Quota || e.is.Window != e.was.Window:
		return doubt("%s: a quota of %s that becomes %s is not raised in its window", e.What, e.was, e.is)
	case len(t.passed) == 0:
		return doubt("%s: no hit was admitted", e.What)
	}
	end := t.passed[0].sent + e.is.Window - Edge(e.is.Window)
	passed, denied := before(t.passed, end), before(t.denied, end)
	early, more := before(t.passed, e.Asked), int64(len(passed))-e.was.Quota
	difference := e.is.Quota - e.was.Quota
	wrong := keep(denied, func(h hit) bool {
		return h.sent > e.shown && int64(len(keep(t.passed, func(p hit) bool { return p.sent <= h.received }))) < e.is.Quota
	})
	var f reports.Finding
	switch {
	case int64(len(early)) < e.was.Quota:
		return doubt("%s: only %d of %d hits were certainly admitted before it", e.What, len(early), e.was.Quota)
	case more > difference:
		f = blame(t.overAdmission(), numbers(passed[e.is.Quota:]), "%s from %d to %d in mid-window with %d used: %d more were admitted, not %d, as if it had started anew",
			e.What, e.was.Quota, e.is.Quota, len(early), more, difference)
	case len(wrong) > 0:
		f = blame(t.falseDenial(), numbers(wrong), "%s from %d to %d in mid-window: %s denied %s after every limiter had shown it, with %d admitted",
			e.What, e.was.Quota, e.is.Quota, hitsWere(len(wrong)), at(wrong[0].sent-e.shown), len(passed))
	case more < difference:
		return doubt("%s from %d to %d: only %d more were admitted in the window, and none wrongly denied", e.What, e.was.Quota, e.is.Quota, more)
	case len(keep(denied, func(h hit) bool { return h.sent > e.shown })) == 0:
		return doubt("%s from %d to %d: no hit was denied after it, so that its end was not seen", e.What, e.was.Quota, e.is.Quota)
	default:
		f = passSaying("%s from %d to %d in mid-window with %d used: exactly %d more were admitted", e.What, e.was.Quota, e.is.Quota, len(early), more)
	}
	f.Limit = e.is.String()
	return f
}

// judgeStartsAnew is judged on a subject who fired until its quota was used,
// and on, while the window was changed or the limit got another name (cases.md
// P04, P05): the new counter knows nothing of the old one, neither its count nor
// its end, and the old one is gone.
func judgeStartsAnew(t *trial) reports.Finding {
	e, why := t.edited()
	switch {
	case why != "":
		return doubt("%s", why)
	case e.is.Window == e.was.Window && e.is.ID == e.was.ID:
		return doubt("%s: the window of %s is what it was, and so is the name", e.What, e.is.Window)
	}
	early := before(t.passed, e.Asked)
	later := keep(t.passed, func(h hit) bool { return h.received >= e.Asked })
	if int64(len(early)) < e.was.Quota {
		return doubt("%s: only %d of %d hits were certainly admitted before it", e.What, len(early), e.was.Quota)
	}
	opened := e.Asked
	if len(later) > 0 {
		opened = max(opened, later[0].sent)
	}
	// What the old window's end gives back shall not be taken for the edit's.
	old := early[0].sent + e.was.Window - Edge(e.was.Window)
	end := opened + e.is.Window - Edge(e.is.Window)
	fresh := before(later, end)
	wrong := keep(t.denied, func(h hit) bool {
		return h.sent > e.shown && h.received < end && int64(len(keep(later, func(p hit) bool { return p.sent <= h.received }))) < e.is.Quota
	})
	var f reports.Finding
	switch {
	case old <= e.shown:
		return doubt("%s: the old window may have ended before it was in force", e.What)
	case len(wrong) > 0:
		f = blame(t.falseDenial(), numbers(wrong), "%s from %s to %s: %s denied %s after every limiter had shown it, with %d of %d admitted since: the old counter's use was kept",
			e.What, e.from(), e.to(), hitsWere(len(wrong)), at(wrong[0].sent-e.shown), len(fresh), e.is.Quota)
	case int64(len(fresh)) > e.is.Quota && e.is.ID != e.was.ID:
		f = t.judgeGap(e, fresh, end)
	case int64(len(fresh)) > e.is.Quota:
		f = blame(t.overAdmission(), numbers(fresh[e.is.Quota:]), "%s from %s to %s: the new window admitted %d of %d hits",
			e.What, e.from(), e.to(), len(fresh), e.is.Quota)
	case int64(len(fresh)) < e.is.Quota:
		return doubt("%s: only %d of %d hits were fired at the new counter", e.What, len(fresh), e.is.Quota)
	case fresh[len(fresh)-1].sent >= old:
		return doubt("%s: the old window may have ended meanwhile, so that the quota may be its next one's", e.What)
	case len(keep(t.denied, func(h hit) bool { return h.sent > fresh[len(fresh)-1].sent && h.received < end })) == 0:
		return doubt("%s: no hit was denied after the new quota, so that its end was not seen", e.What)
	default:
		f = passSaying("%s from %s to %s with %d used: the new counter admitted its whole quota of %d, no more", e.What, e.from(), e.to(), len(early), e.is.Quota)
		if seconds, kept := t.outlives(e.is); kept {
			f = blame(cause{reports.Limiter, "", "the new counter has the end of another window"}, nil,
				"%s from %s to %s: /counters says that the new window ends in %d s", e.What, e.from(), e.to(), seconds)
		} else if t.remembers(e.was) {
			f = blame(cause{reports.Limiter, "", "a limit that is no more has a counter"}, nil,
				"%s from %s to %s: /counters still shows the old counter", e.What, e.from(), e.to())
		}
	}
	f.Limit = e.is.String()
	return f
}

// judgeGap is judged on more admissions than a renamed limit explains. Until the
// gateway speaks of the new name, the limiter, which knows the old one no more,
// lets hits pass: within the budget that is a gap and told, after it or after
// the first denial under the new name it is none.
func (t *trial) judgeGap(e edited, fresh []hit, end time.Duration) reports.Finding {
	var denied *hit
	for _, h := range t.denied {
		if h.sent > e.shown && h.received < end && (denied == nil || h.received < denied.received) {
			denied = &h
		}
	}
	over := e.Put + e.Budget
	late := keep(fresh, func(h hit) bool { return h.sent > over })
	switch {
	case int64(len(late)) > e.is.Quota:
		return blame(t.overAdmission(), numbers(late), "%s from %s to %s: more than %s after it was put, %s still admitted, with a quota of %d",
			e.What, e.from(), e.to(), at(e.Budget), hitsWere(len(late)), e.is.Quota)
	case denied == nil:
		return doubt("%s: %d hits were admitted with a quota of %d, and none was denied under the new name, so that the gap's end was not seen", e.What, len(fresh), e.is.Quota)
	}
	// Of several gateways one may be later than another, within the budget.
	if back := keep(fresh, func(h hit) bool { return h.sent > max(over, denied.received) }); len(back) > 0 {
		return blame(t.overAdmission(), numbers(back), "%s from %s to %s: %s admitted more than %s after it was put, although a hit had been denied under the new name",
			e.What, e.from(), e.to(), hitsWere(len(back)), at(e.Budget))
	}
	return passSaying("%s from %s to %s with %d of the old quota used: %d more than the new quota of %d passed in the gap, the last one %s after it was put",
		e.What, e.from(), e.to(), e.was.Quota, int64(len(fresh))-e.is.Quota, e.is.Quota, at(max(0, fresh[len(fresh)-1].sent-e.Put)))
}

// from and to say what was edited into what.
func (e edited) from() string { return e.side(e.was) }

func (e edited) to() string { return e.side(e.is) }

func (e edited) side(limit tier.Limit) string {
	if e.was.Window != e.is.Window {
		return limit.Window.String()
	}
	return fmt.Sprintf("%.80q", limit.ID)
}

// remembers tells whether the limiter shows a counter of the subject for a limit.
func (t *trial) remembers(limit tier.Limit) bool {
	_, why := t.counterBook()
	return why == "" && len(t.countersOf(limit)) > 0
}

// outlives finds a counter of the limit that runs longer than its window.
func (t *trial) outlives(limit tier.Limit) (seconds int64, found bool) {
	if _, why := t.counterBook(); why != "" {
		return 0, false
	}
	for _, c := range t.countersOf(limit) {
		if left := int64(c.ExpiresIn); left > int64(limit.Window/time.Second) {
			return left, true
		}
	}
	return 0, false
}

// before are the hits whose answer came before a moment.
func before(hits []hit, end time.Duration) []hit {
	return keep(hits, func(h hit) bool { return h.received < end })
}

func keep(hits []hit, test func(hit) bool) (kept []hit) {
	for _, h := range hits {
		if test(h) {
			kept = append(kept, h)
		}
	}
	return kept
}
