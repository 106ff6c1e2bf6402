package crew

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the skew and however lopsided the way there and back, the true
// offset is within what is said of it, also later, while the clocks drift.
func TestTrueOffsetIsWithinTheUncertainty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := func(low, high time.Duration, name string) time.Duration {
			return time.Duration(rapid.Int64Range(int64(low), int64(high)).Draw(t, name))
		}
		skew := span(-48*time.Hour, 48*time.Hour, "skew")
		drift := rapid.Float64Range(-maxDrift, maxDrift).Draw(t, "drift")
		now := 1_700_000_000 * time.Second
		origin := now
		theirs := func(at time.Duration) time.Duration {
			return at + skew + time.Duration(drift*float64(at-origin))
		}
		var c clock
		for range rapid.IntRange(1, 5).Draw(t, "comparisons") {
			e, err := compare(t.Context(), 20, func() time.Duration { return now }, func(context.Context) (time.Duration, error) {
				now += span(1, 50*time.Millisecond, "there")
				read := theirs(now)
				now += span(1, 50*time.Millisecond, "back")
				return read, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			c.add(e)
			now += span(0, 10*time.Second, "pause")
		}
		sent := now - span(0, 20*time.Second, "ago")
		received := sent + span(0, time.Second, "took")
		e, unsure := c.span(theirs(sent), theirs(received))
		for _, at := range []time.Duration{sent, received} {
			// Drift rounds to a nanosecond in this test too.
			if wrong := (theirs(at) - e.offset - at).Abs(); wrong > unsure+2 {
				t.Fatalf("translated %v off, %v said", wrong, unsure)
			}
		}
	})
}

func TestTheShortestRoundTripCounts(t *testing.T) {
	var now time.Duration
	trips := []time.Duration{30, 4, 20}
	n := 0
	e, err := compare(t.Context(), len(trips), func() time.Duration { return now }, func(context.Context) (time.Duration, error) {
		read := now + 1000
		now += trips[n]
		n++
		return read, nil
	})
	if err != nil || e.unsure != 2 || e.at != 32 || e.offset != 998 {
		t.Errorf("%+v, %v", e, err)
	}
	_, err = compare(t.Context(), 3, func() time.Duration { return now }, func(context.Context) (time.Duration, error) {
		return 0, errors.New("refused")
	})
	if err == nil {
		t.Error("a clock that cannot be read was compared")
	}
}
