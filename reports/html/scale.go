package html

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/reports/timeline"
)

// scale maps a strip's times and counts to its SVG.
type scale struct {
	from, to time.Duration
	// most is the highest running count, top the count at the plot's upper edge.
	most int
	top  float64
}

func newScale(s *timeline.Strip) scale {
	c := scale{from: s.From, to: max(s.To, s.From+time.Millisecond)}
	for _, step := range s.Steps {
		c.most = max(c.most, step.Count)
	}
	c.top = max(1, float64(c.most))
	// A limit of up to four times the count is worth the room that it takes.
	if s.Limit != nil && s.Limit.Quota <= int64(4*c.most+8) {
		c.top = max(c.top, float64(s.Limit.Quota))
	}
	c.top *= 1.12
	return c
}

func (c scale) x(at time.Duration) float64 {
	at = min(max(at, c.from), c.to)
	left, right := plotLeft+edge, plotRight-edge
	return left + (right-left)*float64(at-c.from)/float64(c.to-c.from)
}

func (c scale) y(count int) float64 {
	return plotBase - (plotBase-plotTop)*min(1, float64(count)/c.top)
}

// ticks are four to nine round times on the ledger's clock.
func (c scale) ticks() []tick {
	step := roundStep((c.to - c.from) / 8)
	var ticks []tick
	for at := (c.from + step - 1).Truncate(step); at <= c.to; at += step {
		ticks = append(ticks, tick{px(c.x(at)), clock(at)})
	}
	return ticks
}

// roundStep is the next round length that is not shorter than least.
func roundStep(least time.Duration) time.Duration {
	for unit := time.Microsecond; unit < time.Second; unit *= 10 {
		for _, step := range []time.Duration{unit, 2 * unit, 5 * unit} {
			if step >= least {
				return step
			}
		}
	}
	for _, seconds := range []int64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800} {
		if step := time.Duration(seconds) * time.Second; step >= least {
			return step
		}
	}
	step := time.Hour
	for step < least {
		step *= 2
	}
	return step
}

// clock shows a time of the ledger's clock with the digits that tell.
func clock(at time.Duration) string {
	switch {
	case at < time.Second:
		return trim(float64(at)/float64(time.Millisecond), 3) + " ms"
	case at < 2*time.Minute:
		return trim(at.Seconds(), 4) + " s"
	default:
		return fmt.Sprintf("%d:%02d min", int(at.Minutes()), int(at.Seconds())%60)
	}
}

// px is a coordinate: a tenth of a unit is less than anybody sees.
func px(f float64) string { return trim(f, 1) }

func trim(f float64, digits int) string {
	text := strconv.FormatFloat(f, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// stepPath is the running count of admitted hits as a line of steps.
func stepPath(s *timeline.Strip, c scale) string {
	if len(s.Steps) == 0 {
		return ""
	}
	var path strings.Builder
	fmt.Fprintf(&path, "M%s %s", px(c.x(s.From)), px(c.y(0)))
	for _, step := range s.Steps {
		fmt.Fprintf(&path, "H%sV%s", px(c.x(step.At)), px(c.y(step.Count)))
	}
	fmt.Fprintf(&path, "H%s", px(c.x(s.To)))
	return path.String()
}
