package html

import (
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/reports/timeline"
)

func TestTicksAreFewRoundAndInside(t *testing.T) {
	for _, length := range []time.Duration{
		0, time.Microsecond, 3 * time.Millisecond, 80 * time.Millisecond, time.Second, 10200 * time.Millisecond,
		125 * time.Second, 40 * time.Minute, 25 * time.Hour, 300 * 24 * time.Hour,
	} {
		for _, from := range []time.Duration{0, 7 * time.Millisecond, 41234567 * time.Microsecond} {
			ticks := newScale(&timeline.Strip{From: from, To: from + length}).ticks()
			if len(ticks) < 3 || len(ticks) > 9 {
				t.Errorf("%v from %v: %d ticks %v, want 3 to 9", length, from, len(ticks), ticks)
			}
			seen := map[string]bool{}
			for _, tick := range ticks {
				if seen[tick.Label] {
					t.Errorf("%v from %v: two ticks are labelled %q", length, from, tick.Label)
				}
				seen[tick.Label] = true
			}
		}
	}
}

func TestALimitFarAboveTheHitsDoesNotPressThemFlat(t *testing.T) {
	strip := &timeline.Strip{
		To: time.Second, Limit: &timeline.Limit{Quota: 1_000_000_000, Window: time.Hour}, Steps: []timeline.Step{{Count: 200}},
	}
	view := viewStrip(strip)
	if view.Quota != nil || !strings.Contains(strings.Join(view.Notes, ""), "1000000000") {
		t.Errorf("quota line %v, notes %v; want no line and a note of the limit", view.Quota, view.Notes)
	}
	if height := newScale(strip).y(0) - newScale(strip).y(200); height < (plotBase-plotTop)/2 {
		t.Errorf("200 hits are %.0f high, want at least half of the plot", height)
	}
}
