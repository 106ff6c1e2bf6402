package oracle

import (
	"math"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeInOrder judges the time in which certainly no window of any limit has
// ended yet. There counters only grow: admitted hits first, denied ones after.
func judgeInOrder(t *trial) reports.Finding {
	if reason := t.notInTurn(); reason != "" {
		return doubt("the order cannot be judged: %s", reason)
	}
	if !t.q.Subject.Fresh {
		return doubt(notFresh)
	}
	until, quota := t.firstWindows()
	var admitted, unknown, denied int
	lastDenied, judged := 0, 0
	for _, i := range t.inTurn() {
		e := &t.entries[i]
		if e.Received >= until {
			break
		}
		judged++
		switch {
		case e.Outcome == evidence.Denied && int64(admitted+unknown) < quota:
			return t.deniedEarly(i, admitted, quota)
		case e.Outcome == evidence.Denied && int64(admitted) < quota:
			return doubt("entry %d was denied after %d of %s, and %s before it", i+1, admitted, count(quota, "admission"),
				count(unknown, "hit without a telling answer"))
		case e.Outcome == evidence.Denied:
			denied++
			lastDenied = i + 1
		case isPassed(e) && denied > 0:
			return blame(t.overAdmission(), []int{lastDenied, i + 1}, "entry %d was admitted at %s after entry %d had been denied in the same window",
				i+1, at(e.Received), lastDenied)
		case isPassed(e):
			admitted++
		case e.Outcome != evidence.Refused:
			unknown++
		}
	}
	if admitted+denied == 0 {
		return doubt("none of %s was certainly decided in the first window", count(judged, "hit"))
	}
	return pass()
}

// isPassed tells whether a hit got past the limiter: what the model itself fails
// or refuses did.
func isPassed(e *evidence.Entry) bool {
	return e.Outcome == evidence.Admitted || (e.Outcome == evidence.Failed || e.Outcome == evidence.Refused) && e.From == evidence.FromBackend
}

func (t *trial) deniedEarly(entry, admitted int, quota int64) reports.Finding {
	if len(t.limits) < len(t.q.Subject.Limits) {
		return doubt("entry %d was denied after %d of %s, but a limit on tokens applies too", entry+1, admitted, count(quota, "admission"))
	}
	if slices.ContainsFunc(t.limits, t.sharedLimit) {
		return doubt("entry %d was denied after %d of %s, but others draw on the same counter", entry+1, admitted, count(quota, "admission"))
	}
	return blame(t.falseDenial(), []int{entry + 1}, "entry %d was denied after %d of %s", entry+1, admitted, count(quota, "admission"))
}

// firstWindows is until when certainly no window has ended, and the smallest
// quota, which is the one that denies first. Limits on which others draw too may deny
// at any time; beside limits of the subject's own they are left out: whom its own have
// denied they cannot let in.
func (t *trial) firstWindows() (until time.Duration, quota int64) {
	until, quota = never, math.MaxInt64
	own := slices.ContainsFunc(t.limits, func(l tier.Limit) bool { return !t.sharedLimit(l) })
	for i, limit := range t.limits {
		if own && t.sharedLimit(limit) {
			continue
		}
		quota = min(quota, limit.Quota)
		if ws := t.line(i, false).windows; len(ws) > 0 {
			until = min(until, ws[0].ends)
		}
	}
	return until, quota
}

// inTurn are the subject's entries as they left.
func (t *trial) inTurn() []int {
	mine := slices.Clone(t.mine)
	slices.SortStableFunc(mine, func(a, b int) int {
		return bySent(hit{sent: t.entries[a].Sent}, hit{sent: t.entries[b].Sent})
	})
	return mine
}

// notInTurn is why the subject's hits have no order.
func (t *trial) notInTurn() string {
	sequential := make(map[string]bool, len(t.q.Attacks))
	for _, a := range t.q.Attacks {
		sequential[a.Name] = a.OneAtATime
	}
	for _, i := range t.mine {
		if attack := t.entries[i].Attack; !sequential[attack] {
			return "the attack " + attack + " did not go one at a time"
		}
	}
	return ""
}
