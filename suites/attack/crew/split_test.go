package crew

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/suites/attack"
)

func TestSharesAreTheWholeAttackAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hits := rapid.IntRange(1, 500).Draw(t, "hits")
		workers := rapid.IntRange(1, 20).Draw(t, "workers")
		pacer := rapid.SampledFrom([]attack.Pacer{
			attack.OneAtATime, attack.Together,
			attack.Callers(rapid.IntRange(1, 50).Draw(t, "callers")),
			attack.Rate(rapid.Float64Range(0.1, 1e5).Draw(t, "rate")),
		}).Draw(t, "pacer")
		shares := split(hits, pacer, workers)

		fired := make([]int, hits)
		callers, rate := 0, 0.0
		for i, s := range shares {
			if s.hits < 1 || s.worker != i {
				t.Fatalf("share %d is worker %d's and has %d hits", i, s.worker, s.hits)
			}
			if i > 0 && s.hits > shares[i-1].hits {
				t.Fatalf("worker %d has more hits than the one before: %v", i, shares)
			}
			for n := range s.hits {
				fired[s.first+uint64(n)*s.every]++
			}
			switch p := s.pacer.(type) {
			case attack.Callers:
				callers += int(p)
			case attack.Rate:
				rate += float64(p)
			}
		}
		for seq, times := range fired {
			if times != 1 {
				t.Fatalf("hit %d is fired %d times", seq, times)
			}
		}
		switch p := pacer.(type) {
		case attack.Callers:
			if callers != int(p) && (hits >= int(p) || callers < hits) {
				t.Fatalf("%d callers of %d", callers, p)
			}
			if p == attack.OneAtATime && len(shares) != 1 {
				t.Fatalf("one at a time by %d workers", len(shares))
			}
		case attack.Rate:
			if math.Abs(rate-float64(p)) > 1e-9*float64(p) {
				t.Fatalf("rates sum to %v of %v", rate, p)
			}
		}
	})
}
