package oracle

import (
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// atOnce is how soon after an answer a hit must leave to find a limiter that
// counts after it has answered.
const atOnce = 2 * time.Millisecond

// judgeCountedAtOnce looks, for each identity of a crowd, at the hit that left
// right after the answer that used up the quota (cases.md B14).
func judgeCountedAtOnce(t *trial) reports.Finding {
	tried, nearest := 0, never
	if why := t.noCrowd(); why != "" {
		return doubt("%s", why)
	}
	for _, alone := range t.byIdentity() {
		limit, _ := tier.Binding(owned(alone.limits))
		next, gap, ok := alone.afterQuota(limit)
		if !ok {
			continue
		}
		nearest = min(nearest, gap)
		if gap > atOnce || next.received >= alone.start()+limit.Window-Edge(limit.Window) {
			continue
		}
		tried++
		if e := &t.entries[next.number-1]; isPassed(e) {
			f := blame(alone.overAdmission(), []int{next.number}, "entry %d of %s left %s after the answer that used up the quota of %d, and was admitted",
				next.number, alone.subjectName(), at(gap), limit.Quota)
			f.Limit = limit.String()
			return f
		}
	}
	switch {
	case nearest == never:
		return doubt("nobody fired on after the quota was used up")
	case tried == 0:
		return doubt("no hit left within %s after the answer that used up a quota and came back in the same window; the nearest left %s after it", atOnce, at(nearest))
	}
	return passSaying("%s left within %s after the answer that used up a quota, and none was admitted", count(tried, "hit"), atOnce)
}

// afterQuota is the first hit that left after the answer to the last one of the
// quota, and how long after it.
func (t *trial) afterQuota(limit tier.Limit) (next hit, gap time.Duration, ok bool) {
	if limit.Quota <= 0 || int64(len(t.passed)) < limit.Quota {
		return next, 0, false
	}
	used := time.Duration(0)
	for _, h := range t.passed[:limit.Quota] {
		used = max(used, h.received)
	}
	gap = never
	for _, hits := range [][]hit{t.passed[limit.Quota:], t.denied} {
		for _, h := range hits {
			if h.sent >= used && h.sent-used < gap {
				next, gap, ok = h, h.sent-used, true
			}
		}
	}
	return next, gap, ok
}
