package attack

import (
	"maps"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// backToBack is the share of the planned interval below which two hits count as
// having left together.
const backToBack = 0.2

// tally sums up an attack as it goes. Its size does not depend on the number of
// hits.
type tally struct {
	mu       sync.Mutex
	fired    int
	outcomes map[evidence.Outcome]int
	lags     histogram
	maxLag   time.Duration
	// close are the gaps shorter than interval * backToBack.
	interval time.Duration
	close    int
	began    time.Duration
	ended    time.Duration
}

// add counts one hit; gap is the time since the hit that left before it,
// negative for the first one.
func (t *tally) add(e *evidence.Entry, gap time.Duration) {
	lag := max(e.Sent-e.Due, 0)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fired == 0 || e.Sent < t.began {
		t.began = e.Sent
	}
	t.ended = max(t.ended, e.Received)
	t.fired++
	t.outcomes[e.Outcome]++
	t.lags.add(lag)
	t.maxLag = max(t.maxLag, lag)
	if gap >= 0 && float64(gap) < backToBack*float64(t.interval) {
		t.close++
	}
}

func (t *tally) report(name string, planned int) Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Report{
		Attack: name, Planned: planned, Fired: t.fired,
		Began: t.began, Ended: t.ended, Outcomes: maps.Clone(t.outcomes),
		LagP99: min(t.lags.quantile(0.99), t.maxLag), MaxLag: t.maxLag,
	}
	if t.fired > 1 {
		r.BackToBack = float64(t.close) / float64(t.fired-1)
	}
	return r
}

// subBuckets divide each power of two, so that a quantile is at most 1/64 too
// high.
const subBuckets = 64

// histogram counts durations in log-linear buckets.
type histogram struct {
	counts [58 * subBuckets]uint64 // as many as 63 bits need
	total  uint64
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(uint64(d))]++
	h.total++
}

// bucket is v itself below subBuckets; above, the leading bit chooses a row and
// the six bits after it the place in that row.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-bits.Len64(subBuckets), 0)
	return shift*subBuckets + int(v>>shift)
}

// quantile is the upper edge of the bucket that holds quantile q, 0 if nothing
// was counted.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.total)))
	var seen uint64
	for i, n := range h.counts {
		if seen += n; n > 0 && seen >= rank {
			shift := max(i/subBuckets-1, 0)
			return time.Duration((uint64(i-shift*subBuckets)+1)<<shift - 1)
		}
	}
	return 0
}
