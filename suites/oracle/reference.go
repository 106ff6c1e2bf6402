package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Reference says of a policy what its reference model must know: which counters
// each hit draws on.
type Reference struct {
	Limits []tier.Limit `json:"limits"`
	// Draws are, by attack, the counters of each of its hits; an attack that it
	// does not name draws on none.
	Draws map[string][]Draw `json:"draws"`
}

// Draw is a hit's counter of one limit.
type Draw struct {
	// Limit is a place in the reference's limits.
	Limit int `json:"limit"`
	// Counter is what its counters' expressions are for the hit: hits that have
	// the same share a counter.
	Counter string `json:"counter"`
}

// mostCourses bounds how many courses of events are followed at a time. Only hits
// near the ends of windows make one into several.
const mostCourses = 4096

// judgeAsModelled follows the reference model hit by hit. Where a hit was decided
// about the end of a window, or how it ended is not known, the model goes on in
// every way that is possible: the rule fails where none is left. The hits must be
// all that draw on their counters, one salvo after the other.
func judgeAsModelled(t *trial) reports.Finding {
	ref := t.q.Want.Reference
	switch {
	case ref == nil:
		return doubt("the question has no reference model")
	case !t.q.Subject.Fresh:
		return doubt(notFresh)
	}
	salvoes, why := t.salvoes()
	if why != "" {
		return doubt("%s", why)
	}
	strict := reference{limits: ref.Limits}
	broke, lost := strict.follow(salvoes)
	switch {
	case lost:
		return doubt("too many hits were decided about the ends of windows: more than %d courses of events are possible", mostCourses)
	case broke == nil:
		return passSaying("%s as the model of %s decides", hitsWere(len(t.mine)), count(len(ref.Limits), "limit"))
	}
	racing := reference{limits: ref.Limits, races: true}
	if other, _ := racing.follow(salvoes); other == nil {
		f := doubt("%s, unless a hit that raced with another for the end of a window was not counted, as the limiter is known to do (W10)", broke.reason(ref))
		f.Evidence.Entries = first(broke.numbers())
		return f
	}
	if g, unread := t.gatewayMoved(); unread == "" && g.Errors > 0 {
		f := doubt("%s; but the gateway's errors +%d: not every call may have been heard", broke.reason(ref), g.Errors)
		f.Evidence.Entries = first(broke.numbers())
		return f
	}
	anchored := reference{limits: ref.Limits, anchors: true}
	if other, _ := anchored.follow(salvoes); other == nil {
		return t.weak([]string{weakness.RefusalsOpenWindows}, cause{
			reports.Limiter, "the hits agree with a model whose denied hits open windows of other limits", "a refused call opens a window (W14)",
		}, broke.numbers(), "%s", broke.reason(ref))
	}
	asked := t.asked(ref)
	if broke.tooMany {
		return blame(asked.overAdmission(), broke.numbers(), "%s", broke.reason(ref))
	}
	return blame(asked.falseDenial(), broke.numbers(), "%s", broke.reason(ref))
}

// asked is the trial without the hits that no limit applies to: the limiter has no
// account of them, and need not.
func (t *trial) asked(ref *Reference) *trial {
	return newTrial(t.q, slices.DeleteFunc(slices.Clone(t.entries), func(e evidence.Entry) bool {
		return t.planned[e.Attack] && len(ref.Draws[e.Attack]) == 0
	}))
}

// salvo are hits that were under way at once and draw on the same counters: which
// of them was decided first is not known.
type salvo struct {
	attack           string
	sent, received   time.Duration
	admitted, denied []int // numbers of entries
	unknown          int
	draws            []Draw
}

func (s salvo) size() int { return len(s.admitted) + len(s.denied) + s.unknown }

// salvoes puts the subject's hits in order. why says what keeps them from one.
func (t *trial) salvoes() (ordered []salvo, why string) {
	oneAtATime := map[string]bool{}
	for _, a := range t.q.Attacks {
		oneAtATime[a.Name] = a.OneAtATime
	}
	mine := slices.Clone(t.mine)
	slices.SortStableFunc(mine, func(a, b int) int { return cmp.Compare(t.entries[a].Sent, t.entries[b].Sent) })
	for _, i := range mine {
		e := &t.entries[i]
		last := len(ordered) - 1
		if last < 0 || oneAtATime[e.Attack] || ordered[last].attack != e.Attack {
			if last >= 0 && ordered[last].received > e.Sent {
				return nil, fmt.Sprintf("hits of %s left before %s was over: in what order they were decided is not known", e.Attack, ordered[last].attack)
			}
			ordered = append(ordered, salvo{attack: e.Attack, sent: e.Sent, received: e.Received, draws: t.q.Want.Reference.Draws[e.Attack]})
			last++
		}
		v := &ordered[last]
		v.received = max(v.received, e.Received)
		switch {
		case isPassed(e):
			v.admitted = append(v.admitted, i+1)
		case e.Outcome == evidence.Denied:
			v.denied = append(v.denied, i+1)
		default:
			v.unknown++
		}
	}
	for _, v := range ordered {
		for _, d := range v.draws {
			if d.Limit < 0 || d.Limit >= len(t.q.Want.Reference.Limits) {
				return nil, fmt.Sprintf("the reference model has no limit %d, which %s draws on", d.Limit, v.attack)
			}
		}
	}
	return ordered, ""
}

// span is what is known of one counter in a course of events: how much it has
// counted in its window, and between when the window ends. Without a window, until
// is 0.
type span struct {
	counted     int64
	from, until time.Duration
	// ended is when at the latest the window before has ended, 0 if there was
	// none; raced says that a hit went uncounted at that end.
	ended time.Duration
	raced bool
}

func (s span) closed() bool { return s.until == 0 }

// course is one possible course of events: the state of every counter.
type course []span

// reference is the model: all of a hit's limits are asked at once, and count it
// only if each has room.
type reference struct {
	limits []tier.Limit
	// anchors has denied hits open windows of limits that had none; races has one
	// hit at each end of a window go uncounted (cases.md G5).
	anchors, races bool

	counters map[Draw]int
}

// mismatch is the first hit that no course of events explains.
type mismatch struct {
	salvo
	// tooMany says that too many were admitted; otherwise too many were denied.
	tooMany bool
	// before is the state before the salvo, as one course has it, by draw.
	before []span
}

func (m *mismatch) numbers() []int {
	if m.tooMany {
		return m.admitted
	}
	return m.denied
}

// reason tells what each limit had counted by then.
func (m *mismatch) reason(ref *Reference) string {
	text := fmt.Sprintf("%s: of %s at %s, %d admitted and %d denied, which the policy's model cannot be",
		m.attack, count(m.size(), "hit"), at(m.sent), len(m.admitted), len(m.denied))
	if len(m.draws) == 0 {
		return text + ": no limit applies to them"
	}
	for i, d := range m.draws {
		limit, s := ref.Limits[d.Limit], m.before[i]
		text += fmt.Sprintf("%s%.60s (%s) had counted %d", map[bool]string{true: ": ", false: ", "}[i == 0], limit.Name, limit, s.counted)
		if !s.closed() {
			text += fmt.Sprintf(" in a window until %s", at(s.until))
		}
	}
	return text
}

// follow goes through the salvoes. lost says that too many courses were possible.
func (r *reference) follow(salvoes []salvo) (broke *mismatch, lost bool) {
	r.counters = map[Draw]int{}
	for _, v := range salvoes {
		for _, d := range v.draws {
			if _, ok := r.counters[d]; !ok {
				r.counters[d] = len(r.counters)
			}
		}
	}
	courses := []course{make(course, len(r.counters))}
	for _, v := range salvoes {
		next := r.after(v, courses)
		if len(next) == 0 {
			return r.mismatch(v, courses), false
		}
		if len(next) > mostCourses {
			return nil, true
		}
		courses = next
	}
	return nil, false
}

// mismatch tells in which direction a salvo goes beyond the model: with one
// admission less, or with one denial less, it might have been right.
func (r *reference) mismatch(v salvo, before []course) *mismatch {
	m := &mismatch{salvo: v, tooMany: true}
	for _, d := range v.draws {
		m.before = append(m.before, before[0][r.counters[d]])
	}
	fewer := v
	for len(fewer.admitted) > 0 {
		fewer.admitted = fewer.admitted[1:]
		fewer.denied = append(slices.Clone(fewer.denied), 0)
		if len(r.after(fewer, before)) > 0 {
			return m
		}
	}
	m.tooMany = false
	return m
}

// after are the courses in which a salvo ends as it did. Its hits are alike, so
// that only how many of each kind were decided matters.
func (r *reference) after(v salvo, before []course) []course {
	type kinds struct{ admitted, denied, unknown int }
	states := map[kinds][]course{{}: before}
	for a := range len(v.admitted) + 1 {
		for d := range len(v.denied) + 1 {
			for u := range v.unknown + 1 {
				here := kinds{a, d, u}
				var reached []course
				if a > 0 {
					reached = append(reached, r.decide(v, states[kinds{a - 1, d, u}], true)...)
				}
				if d > 0 {
					reached = append(reached, r.decide(v, states[kinds{a, d - 1, u}], false)...)
				}
				if u > 0 {
					from := states[kinds{a, d, u - 1}]
					reached = slices.Concat(reached, from, r.decide(v, from, true), r.decide(v, from, false))
				}
				if a+d+u > 0 {
					states[here] = distinct(reached)
				}
				if len(states[here]) > mostCourses {
					return states[here]
				}
			}
		}
	}
	return states[kinds{len(v.admitted), len(v.denied), v.unknown}]
}

// decide are the courses after one hit of the salvo was admitted, or denied.
func (r *reference) decide(v salvo, from []course, admitted bool) []course {
	var after []course
	for _, c := range from {
		for _, now := range r.ended(v, c) {
			room := !slices.ContainsFunc(v.draws, func(d Draw) bool { return now[r.counters[d]].counted >= r.limits[d.Limit].Quota })
			switch {
			case room != admitted:
			case admitted:
				after = append(after, r.counted(v, now)...)
			default:
				after = append(after, r.refused(v, now)...)
			}
		}
	}
	return after
}

// ended are the ways in which windows may have ended by the time of a hit.
func (r *reference) ended(v salvo, c course) []course {
	ways := []course{c}
	for _, d := range v.draws {
		i := r.counters[d]
		switch s := c[i]; {
		case s.closed() || v.received < s.from:
		case v.sent >= s.until:
			ways = replaced(ways, i, span{ended: s.until})
		default:
			ways = append(slices.Clone(ways), replaced(ways, i, span{ended: s.until})...)
		}
	}
	return ways
}

// counted are the courses after each limit has counted a hit.
func (r *reference) counted(v salvo, c course) []course {
	ways := []course{slices.Clone(c)}
	for _, d := range v.draws {
		i := r.counters[d]
		s := c[i]
		var uncounted []course
		if s.closed() {
			if r.races && s.ended > 0 && !s.raced && (v.sent <= s.ended || v.size() > 1) {
				uncounted = replaced(ways, i, span{ended: s.ended, raced: true})
			}
			s = r.opened(v, d)
		}
		s.counted++
		ways = append(replaced(ways, i, s), uncounted...)
	}
	return ways
}

// refused are the courses after a hit was denied.
func (r *reference) refused(v salvo, c course) []course {
	ways := []course{c}
	if !r.anchors {
		return ways
	}
	for _, d := range v.draws {
		if i := r.counters[d]; c[i].closed() {
			ways = append(slices.Clone(ways), replaced(ways, i, r.opened(v, d))...)
		}
	}
	return ways
}

// opened is a window that a hit of the salvo has opened, and that counted none.
func (r *reference) opened(v salvo, d Draw) span {
	window := r.limits[d.Limit].Window
	return span{from: v.sent + window - Edge(window), until: v.received + window + Edge(window)}
}

// replaced are copies of courses with another state of one counter.
func replaced(courses []course, i int, s span) []course {
	copies := make([]course, len(courses))
	for n, c := range courses {
		copies[n] = slices.Clone(c)
		copies[n][i] = s
	}
	return copies
}

// distinct drops courses that are there twice.
func distinct(courses []course) []course {
	seen := map[string]bool{}
	var kept []course
	var key []byte
	for _, c := range courses {
		key = key[:0]
		for _, s := range c {
			key = fmt.Appendf(key, "%d %d %d %d %t;", s.counted, s.from, s.until, s.ended, s.raced)
		}
		if !seen[string(key)] {
			seen[string(key)] = true
			kept = append(kept, c)
		}
	}
	return kept
}
