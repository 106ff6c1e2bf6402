package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// WindowModel is how the limiter under test is declared to count.
type WindowModel string

const (
	// FirstHit is Limitador's model: a fixed window anchored at the first counted
	// hit (cases.md G1).
	FirstHit WindowModel = "first-hit"
	// Epoch is a fixed window that ends at whole multiples of its length since
	// 1970, on the limiter's wall clock.
	Epoch WindowModel = "epoch"
	// Sliding counts a hit for exactly the window's length: in no span of that
	// length more than a quota is admitted, and nobody is denied with less.
	Sliding WindowModel = "sliding"
)

// WindowModels are all models that the oracle can judge by, the default first.
func WindowModels() []WindowModel { return []WindowModel{FirstHit, Epoch, Sliding} }

// ParseWindowModel reads a declared model; "" is the default.
func ParseWindowModel(name string) (WindowModel, error) {
	if name == "" {
		return FirstHit, nil
	}
	if !slices.Contains(WindowModels(), WindowModel(name)) {
		return "", fmt.Errorf("window model %q is unknown: want one of %v", name, WindowModels())
	}
	return WindowModel(name), nil
}

// FirstHitOnly reports whether a rule is about windows that begin with a hit,
// so that it cannot be judged where another model is declared.
func FirstHitOnly(rule string) bool {
	return slices.ContainsFunc(All(), func(r Rule) bool { return r.Name == rule && r.needs&needsFirstHit != 0 })
}

// modelUnmet is why a rule cannot be judged by the declared model.
func (t *trial) modelUnmet(needs need) string {
	switch {
	case needs&(needsWindows|needsFirstHit) == 0:
		return ""
	case !slices.Contains(WindowModels(), t.q.Model):
		return fmt.Sprintf("window model %q is not one that the oracle can judge: want one of %v", t.q.Model, WindowModels())
	case needs&needsFirstHit != 0 && t.q.Model != FirstHit:
		return fmt.Sprintf("the rule is about window model %q, and %q is declared: leave the case out", FirstHit, t.q.Model)
	case t.q.Model == Epoch && t.q.Began.IsZero():
		return "the ledger has no wall clock, so where windows of model \"epoch\" end is not known"
	}
	return ""
}

// epochOf is the begin, on the ledger's clock, of the epoch window that holds a
// moment; a window of no length begins there.
func (t *trial) epochOf(moment, length time.Duration) time.Duration {
	if length <= 0 {
		return moment
	}
	past := time.Duration(t.q.Began.UnixNano()%int64(length)) + moment%length
	return moment - (past%length+length)%length
}

// epochWindows places the subject's hits into the windows of an epoch limit:
// the windows are known, and a hit that was under way at an end may be in
// either. Windows serve the hits that were answered first, so that what is left
// over is left over in every placement.
func (t *trial) epochWindows(l *line) {
	s := sweep{line: l, passed: t.passed}
	begin := longAgo
	for s.next < len(s.passed) || len(s.carried) > 0 {
		begin += l.limit.Window
		if len(s.carried) == 0 {
			begin = t.epochOf(s.passed[s.next].sent-l.edge, l.limit.Window)
		}
		w := window{opened: begin - l.edge, openedBy: begin + l.edge, from: begin + l.edge, full: never}
		w.ends, w.until = w.opened+l.limit.Window, w.openedBy+l.limit.Window
		s.fill(&w)
	}
}

// slidingWindows are spans of the limit's length, one behind the other, each
// from a hit on. They tell what was put to the test; whether any other span
// holds more than the quota is looked for on its own.
func (t *trial) slidingWindows(l *line) {
	s := sweep{line: l, passed: t.passed}
	for s.next < len(s.passed) {
		first := s.passed[s.next]
		w := window{opened: first.sent, openedBy: first.received, from: first.sent, full: never}
		w.ends = w.opened + l.shortest
		for _, h := range s.passed[s.next:] {
			if h.sent >= w.openedBy {
				break
			}
			w.openedBy = min(w.openedBy, h.received)
		}
		w.until = w.openedBy + l.longest
		s.fill(&w)
		// Who is beyond a quota, and when, is judged by busiest alone.
		s.carried, l.windows[len(l.windows)-1].early = nil, 0
	}
	l.busiest = busiest(t.passed, l.shortest, l.limit.Quota)
}

// busiest is the first span of a length that certainly admitted more than the
// quota, nil if there is none.
func busiest(passed []hit, length time.Duration, quota int64) *window {
	answered := make([]int, len(passed))
	for i := range answered {
		answered[i] = i
	}
	slices.SortStableFunc(answered, func(a, b int) int { return byReceived(passed[a], passed[b]) })
	in, next, inside := make([]bool, len(passed)), 0, int64(0)
	for i, first := range passed {
		ends := first.sent + length
		for ; next < len(answered) && passed[answered[next]].received < ends; next++ {
			if answered[next] >= i {
				in[answered[next]] = true
				inside++
			}
		}
		if inside > quota {
			w := &window{opened: first.sent, from: first.sent, ends: ends, admitted: int(inside), full: never}
			for j := i; j < len(passed) && passed[j].sent < ends; j++ {
				if in[j] {
					w.hits = append(w.hits, passed[j])
				}
			}
			return w
		}
		if in[i] {
			inside--
		}
	}
	return nil
}

// slidingDoubt finds a span that may hold more than the quota, if slow hits or
// hits without an answer are placed there. A correct limiter's fast hits fit
// into spans shorter than the window by what they may be under way.
func (t *trial) slidingDoubt(l *line) (reports.Finding, bool) {
	span := l.limit.Window - 2*(l.limit.Window/blindness)
	passed, lost, unknown := tallyOf(t.passed), tallyOf(t.unknown), t.countedUnknown()
	for _, h := range slices.Concat(t.passed, t.unknown) {
		admitted := passed.between(h.sent-span, h.sent)
		switch within := min(unknown, lost.between(h.sent-span, h.sent)); {
		case int64(admitted) > l.limit.Quota:
			return doubt("hits beyond the quota were under way for long: %d of %d may have been admitted in the %s before %s",
				admitted, l.limit.Quota, at(l.limit.Window), at(h.sent)), true
		case within > 0 && int64(admitted+within) > l.limit.Quota:
			return doubt("%d of %d hits were admitted in the %s before %s, and %s without an answer may have been too",
				admitted, l.limit.Quota, at(l.limit.Window), at(h.sent), count(within, "hit")), true
		}
	}
	return reports.Finding{}, false
}

// otherModels says which models the evidence fits that breaks the declared one:
// those by which no rule about windows fails and a quota was put to the test.
func (t *trial) otherModels() string {
	if t.fitting != nil {
		return *t.fitting
	}
	var fit []string
	for _, model := range WindowModels() {
		if model == t.q.Model || model == Epoch && t.q.Began.IsZero() {
			continue
		}
		other := *t
		other.q.Model, other.lines, other.judged = model, make(map[lineKey]*line), nil
		fits := other.unmet(needsLedger|needsWindows) == "" && judgeNoOverrun(&other).Verdict == reports.Pass
		for _, judge := range []func(*trial) reports.Finding{judgeNoUnderrun, judgeNoEarlyReset, judgeResets} {
			fits = fits && judge(&other).Verdict != reports.Fail
		}
		if fits {
			fit = append(fit, fmt.Sprintf("%q", model))
		}
	}
	text := ""
	if len(fit) > 0 {
		text = fmt.Sprintf("; declared is window model %q, and the hits fit %s", t.q.Model, strings.Join(fit, " and "))
	}
	t.fitting = &text
	return text
}
