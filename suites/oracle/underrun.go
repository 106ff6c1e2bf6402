package oracle

import (
	"fmt"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// denials are the subject's denials that are not plainly explained.
type denials struct {
	// wrong have no explanation in any placement; late are those of them that
	// had one if no window had ended.
	wrong, late []denial
	// doubtful may or may not have one.
	doubtful []denial
}

// denials judges each denial once, for all rules.
func (t *trial) denials() *denials {
	if t.judged != nil {
		return t.judged
	}
	t.judged = &denials{}
	strict, race := t.explainer(false), t.explainer(true)
	unheard, known := t.unheard()
	for _, h := range t.denied {
		e, d := t.judgeDenial(h, strict, race, unheard, known)
		switch e {
		case unknowable:
			t.judged.doubtful = append(t.judged.doubtful, d)
		case unexplained:
			t.judged.wrong = append(t.judged.wrong, d)
			if strict.everUsed(h.received) {
				t.judged.late = append(t.judged.late, d)
			}
		case explained:
		}
	}
	return t.judged
}

// judgeDenial explains one denial. That windows have ended counts against the
// limiter only if it certainly heard the hits that opened them.
func (t *trial) judgeDenial(h hit, strict, race *explainer, unheard int64, known bool) (explanation, denial) {
	e, d := strict.explain(h, true)
	switch {
	case e == explained:
		return t.judgeSlow(h, strict, d)
	case e == unknowable:
		return e, d
	case len(t.limits) < len(t.q.Subject.Limits):
		d.why = "a limit on tokens applies too, and may have denied it"
		return unknowable, d
	}
	if bare, _ := strict.explain(h, false); bare == unexplained {
		return unexplained, d
	}
	switch {
	case !known:
		d.why = "neither the limiter's nor the gateway's book tells whether every hit was heard, so when windows opened is not known"
		return unknowable, d
	case unheard > 0:
		d.why = fmt.Sprintf("the limiter may not have heard %s, so when its windows opened is not known", count(unheard, "admitted hit"))
		return unknowable, d
	}
	if raced, _ := race.explain(h, true); raced != unexplained {
		d.why = "a hit at the end of a window may not have been counted (the limiter's known expiry race, W10)"
		return unknowable, d
	}
	return unexplained, d
}

// judgeSlow doubts an explained denial that was under way for so long that it
// may have been decided well after the end of the window that explains it.
func (t *trial) judgeSlow(h hit, strict *explainer, d denial) (explanation, denial) {
	slow := h.received - h.sent
	for _, l := range t.limits {
		if slow <= l.Window/blindness {
			return explained, d
		}
	}
	if e, last := strict.explain(hit{h.received, h.received, h.number}, true); e == unexplained {
		last.why = fmt.Sprintf("it was under way for %s and may have been decided after the window's end", at(slow))
		return unknowable, last
	}
	return explained, d
}

// everUsed reports whether a quota could have been used by then if windows
// never ended.
func (x *explainer) everUsed(by time.Duration) bool {
	for _, l := range x.lines {
		if int64(x.counted.between(longAgo, by)) >= l.limit.Quota {
			return true
		}
	}
	return false
}

func judgeNoUnderrun(t *trial) reports.Finding {
	ds := t.denials()
	switch {
	case len(ds.wrong) > 0:
		return t.wrongDenials(ds.wrong)
	case len(ds.doubtful) > 0:
		return t.doubtfulDenials(ds.doubtful)
	case len(t.passed)+len(t.denied) == 0:
		return doubt("no hit was admitted or denied, so nothing was decided")
	case len(t.denied) == 0 && len(t.passed) < len(t.mine):
		return doubt("only %d of %s came back admitted, and none denied: what became of the others is not known",
			len(t.passed), count(len(t.mine), "hit"))
	}
	return pass()
}

func (t *trial) wrongDenials(wrong []denial) reports.Finding {
	d := wrong[0]
	f := blame(t.falseDenial(), denialNumbers(wrong), "%s denied too early, %s, when at most %d of %d hits can have been counted%s",
		hitsWere(len(wrong)), firstAt(len(wrong), d.sent), d.counted, d.limit.Quota, d.since())
	f.Limit = d.limit.String()
	return f
}

func (t *trial) doubtfulDenials(doubtful []denial) reports.Finding {
	d := doubtful[0]
	f := doubt("%s denied and whether rightly cannot be told, %s: %s",
		hitsWere(len(doubtful)), firstAt(len(doubtful), d.sent), d.why)
	f.Limit, f.Evidence.Entries = d.limit.String(), first(denialNumbers(doubtful))
	return f
}

// since says from when the counted hits were counted.
func (d denial) since() string {
	if d.ended == 0 {
		return ""
	}
	return fmt.Sprintf(" since window %d, opened by %s, had ended", d.ended, at(d.last.openedBy))
}

func denialNumbers(ds []denial) []int {
	ns := make([]int, 0, min(len(ds), mostEntries))
	for _, d := range ds[:min(len(ds), mostEntries)] {
		ns = append(ns, d.number)
	}
	return ns
}

// judgeResets wants to have seen it: a window's quota used up, its end passed,
// and a hit admitted after it.
func judgeResets(t *trial) reports.Finding {
	ds := t.denials()
	if len(ds.late) > 0 {
		d := ds.late[0]
		f := blame(t.falseDenial(), denialNumbers(ds.late), "%s denied after the window had ended, %s%s",
			hitsWere(len(ds.late)), firstAt(len(ds.late), d.sent), d.lateness())
		f.Limit = d.limit.String()
		return f
	}
	if len(ds.doubtful) > 0 {
		return t.doubtfulDenials(ds.doubtful)
	}
	for i, limit := range t.limits {
		if t.sawReset(i) {
			f := pass()
			f.Limit = limit.String()
			return f
		}
	}
	limit, _ := tier.Binding(t.limits)
	if limit.Quota <= 0 {
		return doubt("a quota of 0 has no window that could end")
	}
	return doubt("no window was seen to end: nothing was admitted certainly after the end of a window of %s whose quota was certainly used", limit.Window)
}

// lateness says how long after the end of which window, and how much was
// counted since.
func (d denial) lateness() string {
	if d.ended == 0 {
		return fmt.Sprintf(", when only %d of %d hits can have been counted in the %s before", d.counted, d.limit.Quota, d.limit.Window)
	}
	return fmt.Sprintf(", %s after window %d, opened by %s, had certainly ended, with at most %d of %d counted since",
		at(d.sent-d.last.until), d.ended, at(d.last.openedBy), d.counted, d.limit.Quota)
}

// sawReset reports whether a hit was admitted certainly after a window that
// was certainly full.
func (t *trial) sawReset(i int) bool {
	for _, w := range t.line(i, false).windows {
		if w.full != never && t.passed[len(t.passed)-1].sent >= w.until {
			return true
		}
	}
	return false
}
