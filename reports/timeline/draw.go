package timeline

import (
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

const maxWindows = 60

// drawing fills a strip whose extent and hits are known from entries in the
// order of their answers.
type drawing struct {
	strip *Strip
	// decided are numbers of entries that are always kept.
	decided map[int]bool
	// bins is in how many parts of time the strip is thinned, 0 for not at all:
	// one dot is kept for each part, outcome and side of the limit.
	bins  int
	drawn map[spot]bool

	window *Window
	count  int
}

type spot struct {
	bin     int
	outcome evidence.Outcome
	over    bool
}

func newDrawing(strip *Strip, decided map[int]bool, dots int) *drawing {
	d := &drawing{strip: strip, decided: decided, drawn: make(map[spot]bool)}
	if strip.Hits > dots {
		d.bins = max(1, dots/max(1, len(strip.Counts)+1))
	}
	return d
}

func (d *drawing) add(e evidence.Entry) {
	if e.Outcome == evidence.Admitted {
		d.admit(e)
	}
	dot := Dot{
		Entry: e.Number, Sent: e.Sent, Received: e.Received, Outcome: e.Outcome, Status: e.Status,
		Count: d.count, Decided: d.decided[e.Number],
	}
	limit := d.strip.Limit
	at := spot{bin: d.bin(e.Received), outcome: e.Outcome, over: limit != nil && int64(d.count) > limit.Quota}
	if d.bins > 0 && d.drawn[at] && !dot.Decided {
		return
	}
	d.drawn[at] = true
	d.strip.Dots = append(d.strip.Dots, dot)
}

// admit puts an admitted hit into a window: the open one unless the limiter
// may have decided after its end.
func (d *drawing) admit(e evidence.Entry) {
	if d.strip.Limit != nil {
		length := d.strip.Limit.Window
		switch {
		case d.window == nil || e.Received >= d.window.Close:
			d.shut()
			d.window = &Window{Open: e.Sent, Close: e.Sent + length}
		case e.Sent < d.window.Open:
			d.window.Open, d.window.Close = e.Sent, e.Sent+length
		}
		d.window.Admitted++
	}
	d.count++
	d.step(e.Received, d.count)
}

// shut ends the open window.
func (d *drawing) shut() {
	if d.window == nil {
		return
	}
	if len(d.strip.Windows) < maxWindows {
		d.strip.Windows = append(d.strip.Windows, *d.window)
	} else {
		d.strip.MoreWindows++
	}
	if d.window.Close < d.strip.To {
		d.step(d.window.Close, 0)
	}
	d.count = 0
}

// step keeps, of the steps in one bin, the highest: a thinned line may hide a
// reset, never an overrun.
func (d *drawing) step(at time.Duration, count int) {
	steps := d.strip.Steps
	if last := len(steps) - 1; d.bins > 0 && last >= 0 && d.bin(steps[last].At) == d.bin(at) {
		steps[last].Count = max(steps[last].Count, count)
		return
	}
	if last := len(steps) - 1; last >= 0 {
		at = max(at, steps[last].At)
	}
	d.strip.Steps = append(steps, Step{At: at, Count: count})
}

func (d *drawing) bin(at time.Duration) int {
	length := d.strip.To - d.strip.From
	if d.bins == 0 || length <= 0 {
		return 0
	}
	return int(float64(at-d.strip.From) / float64(length) * float64(d.bins))
}
