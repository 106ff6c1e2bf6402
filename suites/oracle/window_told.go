package oracle

import (
	"math"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// toldCut is by how much the told rest of a window may be shorter than it is:
// whole seconds are cut, and a window that has just opened is told as a second
// less (sut.md 2.1). toldLong is by how much it may be longer: a store that keeps
// whole seconds rounds up.
const (
	toldCut  = 2 * time.Second
	toldLong = time.Second
)

// judgeWindowTold holds the ends of windows that /counters tells against those in
// force, where nobody waits for them.
func judgeWindowTold(t *trial) reports.Finding {
	read, why := t.freshCounters()
	switch {
	case why != "":
		return doubt("%s", why)
	case len(t.passed) == 0:
		return doubt("no hit was admitted, so no window need have begun")
	case t.tally.unknown() > 0 || len(t.denied) > 0 && t.denied[0].sent < t.passed[0].sent:
		return doubt("a hit that was not admitted may have begun the window")
	}
	told := ""
	for _, limit := range t.limits {
		of := t.countersOf(limit)
		if len(of) == 0 || !t.ownAndOpen(limit, read) {
			continue
		}
		least, most := t.restOf(limit, read)
		if rest := time.Duration(of[0].ExpiresIn) * time.Second; of[0].ExpiresIn > math.MaxInt64/uint64(time.Second) || rest < least || rest > most {
			f := blame(cause{reports.Limiter, "", "the limiter keeps another window than the one in force"}, nil,
				"/counters says that the window of %s ends in %d s, when it has between %s and %s left", limit, of[0].ExpiresIn,
				at(max(0, least)), at(most))
			f.Limit = limit.String()
			return f
		}
		told = limit.String()
	}
	if told == "" {
		return doubt("/counters shows no window of the subject's that was certainly open, %s after the first hit", at(read-t.passed[0].sent))
	}
	f := pass()
	f.Limit = told
	return f
}

// restOf bounds what /counters may say of the subject's first window of a limit:
// it was read after the last answer, and by read.
func (t *trial) restOf(limit tier.Limit, read time.Duration) (least, most time.Duration) {
	opened, last := t.passed[0].received, t.passed[0].received
	for _, hit := range t.passed {
		opened = min(opened, hit.received)
	}
	for _, i := range t.mine {
		last = max(last, t.entries[i].Received)
	}
	return t.passed[0].sent + limit.Window - read - toldCut, opened + limit.Window - last + toldLong
}
