package oracle

import (
	"slices"
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A search that begins anywhere ends where a plain one does.
func TestFirstBeyondIsSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var times []time.Duration
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 30), 0, 40).Draw(t, "times") {
			times = append(times, time.Duration(n))
		}
		slices.Sort(times)
		near := rapid.IntRange(0, len(times)).Draw(t, "near")
		bound := time.Duration(rapid.IntRange(-1, 32).Draw(t, "bound"))
		want := sort.Search(len(times), func(i int) bool { return times[i] >= bound })
		if got := firstBeyond(times, bound, near); got != want {
			t.Fatalf("%d of %v is at %d, want %d (begun at %d)", bound, times, got, want, near)
		}
	})
}
