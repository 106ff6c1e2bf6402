package oracle

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// TestFirstRepeat compares it with a map, on ledgers of one part and of many.
func TestFirstRepeat(t *testing.T) {
	ids := make([]string, 9_000)
	for i := range ids {
		ids[i] = fmt.Sprintf("hit-%d", i)
	}
	rapid.Check(t, func(t *rapid.T) {
		entries := make([]evidence.Entry, rapid.SampledFrom([]int{0, 1, 2, 3, 10, 100, 4095, len(ids)}).Draw(t, "entries"))
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for i := range entries {
			entries[i].Hit = ids[i]
		}
		for range rapid.IntRange(0, 3).Draw(t, "repeats") {
			if len(entries) > 0 {
				entries[rng.IntN(len(entries))].Hit = entries[rng.IntN(len(entries))].Hit
			}
		}
		want, seen := -1, map[string]bool{}
		for i, e := range entries {
			if seen[e.Hit] {
				want = i
				break
			}
			seen[e.Hit] = true
		}
		if got := firstRepeat(entries); got != want {
			t.Fatalf("the first repeat of %d entries is %d, want %d", len(entries), got, want)
		}
	})
}
