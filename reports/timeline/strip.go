// Package timeline makes of a run's ledgers what a page can draw: for each
// identity of a case its hits over time, the windows of its limit and the
// running count of what was admitted. However long a ledger is, a strip is
// small; every hit that decided a verdict stays in it.
package timeline

import (
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Strip is one identity's hits in one case. All times are on the clock of the
// case's ledger.
type Strip struct {
	// Case points into the record.
	Case *reports.Case
	// Identity is tier/name, "" for callers without one.
	Identity string
	// Ledger is relative to the run's folder.
	Ledger  string
	Verdict reports.Verdict
	// Limit is what the windows are drawn for, nil if the record names none.
	Limit *Limit
	// From is when the first hit was sent, To when the last answer came.
	From, To time.Duration
	// Hits are all in the ledger; Dots may be fewer.
	Hits   int
	Counts map[evidence.Outcome]int
	// Windows are at most 60; MoreWindows are left out.
	Windows     []Window
	MoreWindows int
	Steps       []Step
	Dots        []Dot
}

// Limit is a quota of hits in a window.
type Limit struct {
	Quota  int64
	Window time.Duration
	// Text is the limit for people, "10 hits / 2m".
	Text string
}

// Window is one window as a caller can draw it: it opens when the earliest of
// its admitted hits was sent, which is the earliest that the limiter can have
// opened it, and a hit whose answer came after Close is drawn in the next one.
// Within one answer's time of an edge the limiter may have seen it otherwise:
// a strip is a picture, and the oracle, which tries every placement, judges.
type Window struct {
	Open, Close time.Duration
	Admitted    int
}

// Step says that from At on the window had admitted Count hits.
type Step struct {
	At    time.Duration
	Count int
}

// Dot is one hit.
type Dot struct {
	// Entry is the hit's number in the ledger, from 1.
	Entry          int
	Sent, Received time.Duration
	Outcome        evidence.Outcome
	Status         int
	// Count is how many hits the window had admitted with this one.
	Count int
	// Decided is true if a finding that did not pass points at the entry.
	Decided bool
}
