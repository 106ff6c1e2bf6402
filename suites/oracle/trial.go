package oracle

import (
	"cmp"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// hit is an entry as the window rules see it: the limiter decided somewhere
// between sent and received. number is the entry's number in the ledger.
type hit struct {
	sent, received time.Duration
	number         int
}

// trial is one question with its evidence sorted out, made once and shared by
// all rules.
type trial struct {
	q       Question
	entries []evidence.Entry
	// mine are the subject's entries as indexes of entries.
	mine []int

	// The subject's hits by what is certain of them, by the time they left.
	// passed were let through, so that a limiter that heard them counted them;
	// denied moved no counter; unknown may have been decided either way;
	// barred were turned away by the gateway with another status than 429.
	passed, denied, unknown, barred []hit
	// planned are the attacks of the question.
	planned map[string]bool
	// tally counts the subject's hits, whole those of the entire ledger.
	tally, whole tally

	assumed assumed
	limits  []tier.Limit // those that count hits
	lines   map[lineKey]*line
	// anchored is what anchors has found, nil before it was asked.
	anchored []hit
	judged   *denials
	tallies  *tallies
	// fitting is what otherModels has found, nil before it was asked.
	fitting *string
}

// tally counts hits by outcome.
type tally struct {
	sent, admitted, denied, refused, failedBehind, failedBefore, lost int
}

// passed are the hits that the gateway let through: a failure that the backend
// answered was admitted first.
func (t tally) passed() int { return t.admitted + t.failedBehind }

// unknown are the hits of which the caller cannot tell what the limiter said.
func (t tally) unknown() int { return t.failedBefore + t.lost }

// limitable are the hits that authentication did not stop.
func (t tally) limitable() int { return t.sent - t.refused }

func (t *tally) add(e *evidence.Entry) {
	t.sent++
	switch e.Outcome {
	case evidence.Admitted:
		t.admitted++
	case evidence.Denied:
		t.denied++
	case evidence.Refused:
		// The model's own 401 is a failure behind the limiter.
		if e.From == evidence.FromBackend {
			t.failedBehind++
		} else {
			t.refused++
		}
	case evidence.Failed:
		if e.From == evidence.FromBackend {
			t.failedBehind++
		} else {
			t.failedBefore++
		}
	case evidence.Lost:
		t.lost++
	}
}

func newTrial(q Question, entries []evidence.Entry) *trial {
	t := &trial{q: q, entries: entries, lines: make(map[lineKey]*line)}
	planned := make(map[string]bool, len(q.Attacks))
	for _, a := range q.Attacks {
		planned[a.Name] = true
	}
	t.planned = planned
	isMine := func(e *evidence.Entry) bool {
		return !t.outside(e) && (q.Subject.Identity == "" && planned[e.Attack] || q.Subject.Identity != "" && e.Identity == q.Subject.Identity)
	}
	for i := range entries {
		if t.outside(&entries[i]) {
			continue
		}
		t.whole.add(&entries[i])
		if isMine(&entries[i]) {
			t.tally.add(&entries[i])
		}
	}
	t.mine = make([]int, 0, t.tally.sent)
	t.passed, t.denied = make([]hit, 0, t.tally.passed()), make([]hit, 0, t.tally.denied)
	for i := range entries {
		e := &entries[i]
		if !isMine(e) {
			continue
		}
		t.mine = append(t.mine, i)
		t.sort(e, hit{sent: e.Sent, received: e.Received, number: i + 1})
	}
	for _, hits := range [][]hit{t.passed, t.denied, t.unknown, t.barred} {
		slices.SortFunc(hits, bySentAndNumber)
	}
	for _, l := range q.Subject.Limits {
		if l.Unit == tier.Hits {
			t.limits = append(t.limits, l)
		}
	}
	t.q.Alone = q.Alone && !t.others()
	t.assumed = assume(t)
	return t
}

// outside says that an entry was answered before the question's books were opened,
// or left after they were closed: a case may open them anew, and a ledger that is
// judged again also holds what the case fired for its later questions.
func (t *trial) outside(e *evidence.Entry) bool {
	if t.planned[e.Attack] || t.q.Began.IsZero() {
		return false
	}
	before, after := t.q.Before.At, t.q.After.At
	return !before.IsZero() && t.q.Began.Add(e.Received).Before(before) || !after.IsZero() && t.q.Began.Add(e.Sent).After(after)
}

// sort puts a hit where the window rules look for it.
func (t *trial) sort(e *evidence.Entry, h hit) {
	switch e.Outcome {
	case evidence.Admitted:
		t.passed = append(t.passed, h)
	case evidence.Denied:
		t.denied = append(t.denied, h)
	case evidence.Refused:
		if e.From == evidence.FromBackend {
			t.passed = append(t.passed, h)
			return
		}
		t.barred = append(t.barred, h)
	case evidence.Failed:
		if e.From == evidence.FromBackend {
			t.passed = append(t.passed, h)
			return
		}
		t.unknown = append(t.unknown, h)
		t.barred = append(t.barred, h)
	case evidence.Lost:
		t.unknown = append(t.unknown, h)
	}
}

func bySent(a, b hit) int { return cmp.Compare(a.sent, b.sent) }

func bySentAndNumber(a, b hit) int {
	return cmp.Or(cmp.Compare(a.sent, b.sent), cmp.Compare(a.number, b.number))
}

func byReceived(a, b hit) int { return cmp.Compare(a.received, b.received) }

// subjectName is how findings name whom the rule was judged on.
func (t *trial) subjectName() string {
	if t.q.Subject.Identity != "" {
		return t.q.Subject.Identity
	}
	return t.q.Subject.Name
}

// start is when the subject's first hit left.
func (t *trial) start() time.Duration {
	start := time.Duration(1<<63 - 1)
	for _, i := range t.mine {
		start = min(start, t.entries[i].Sent)
	}
	return start
}

// end is when the subject's last answer came.
func (t *trial) end() time.Duration {
	end := time.Duration(0)
	for _, i := range t.mine {
		end = max(end, t.entries[i].Received)
	}
	return end
}

// callsPerHit is how many calls of the limiter one hit can make. The operator joins
// the limits of all policies that merge on a route into one call; request limits and
// token limits are asked for in calls of their own, one after the other (cases.md G3).
func (t *trial) callsPerHit() int {
	units := make(map[tier.Unit]bool)
	for _, l := range t.q.Subject.Limits {
		units[l.Unit] = true
	}
	return max(1, len(units))
}
