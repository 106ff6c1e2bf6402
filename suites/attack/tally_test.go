package attack

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestQuantileIsAtMostASixtyFourthTooHigh(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lags := rapid.SliceOfN(rapid.Int64Range(0, math.MaxInt64), 1, 300).Draw(t, "lags")
		h := histogram{}
		for _, lag := range lags {
			h.add(time.Duration(lag))
		}
		q := rapid.SampledFrom([]float64{0.5, 0.99, 1}).Draw(t, "q")
		slices.Sort(lags)
		exact := lags[max(int(math.Ceil(q*float64(len(lags))))-1, 0)]
		got := int64(h.quantile(q))
		if got < exact || float64(got-exact) > float64(exact)/64 {
			t.Fatalf("quantile %v of %d is %d, the histogram says %d", q, len(lags), exact, got)
		}
	})
}

func TestBackToBackIsAShareOfGaps(t *testing.T) {
	sum := tally{outcomes: map[evidence.Outcome]int{}, interval: time.Second}
	for _, gap := range []time.Duration{-1, time.Second, 199 * time.Millisecond, time.Second, 200 * time.Millisecond} {
		sum.add(&evidence.Entry{Outcome: evidence.Admitted}, gap)
	}
	if got := sum.report("a", 5).BackToBack; got != 0.25 {
		t.Errorf("%v of the gaps are below a fifth of the interval, want 1 of 4", got)
	}
}
