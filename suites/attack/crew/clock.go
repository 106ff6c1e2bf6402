package crew

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// exchanges is how often a worker is asked for its clock before an attack,
	// and refreshes how often each time it is asked again meanwhile.
	exchanges, refreshes = 24, 5
	// refreshEvery is how often clocks are compared during an attack.
	refreshEvery = time.Second
	// maxDrift is by how much two monotonic clocks can run apart: the kernel
	// corrects a clock's frequency by at most 500 parts per million.
	maxDrift = 500e-6
	// keptEstimates bounds the memory of a worker's clock.
	keptEstimates = 64
)

// estimate is how a worker's clock stood to ours at one moment.
type estimate struct {
	// at is our clock, offset the worker's minus ours.
	at, offset time.Duration
	// unsure bounds the offset's error: half of the round trip in which the
	// worker read its clock, wherever in it that was.
	unsure time.Duration
}

// compare asks for the worker's clock so many times and keeps the estimate of
// the shortest round trip.
func compare(ctx context.Context, times int, ours func() time.Duration, ask func(context.Context) (time.Duration, error)) (estimate, error) {
	var best estimate
	for n := range times {
		asked := ours()
		theirs, err := ask(ctx)
		if err != nil {
			return best, fmt.Errorf("read its clock: %w", err)
		}
		trip := ours() - asked
		// Halves are rounded up, so that the bound holds to the nanosecond.
		if unsure := (trip + 1) / 2; n == 0 || unsure < best.unsure {
			at := asked + unsure
			best = estimate{at: at, offset: theirs - at, unsure: unsure}
		}
	}
	return best, nil
}

// within is how wrong the estimate can be at another time of our clock.
func (e estimate) within(at time.Duration) time.Duration {
	// The time since is itself told by clocks that drift, and not exactly.
	since := float64((at-e.at).Abs()+e.unsure) / (1 - maxDrift)
	return e.unsure + time.Duration(maxDrift*since) + 1
}

// clock is what is known of a worker's clock.
type clock struct {
	mu    sync.Mutex
	known []estimate
}

func (c *clock) add(e estimate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) == keptEstimates {
		c.known = append(c.known[:0], c.known[1:]...)
	}
	c.known = append(c.known, e)
}

// best is the estimate that says most of a time of our clock.
func (c *clock) best(at time.Duration) estimate {
	c.mu.Lock()
	defer c.mu.Unlock()
	var best estimate
	for i, e := range c.known {
		if i == 0 || e.within(at) < best.within(at) {
			best = e
		}
	}
	return best
}

// span translates a span of the worker's clock to ours; the true one lies
// within unsure of it at both ends.
func (c *clock) span(from, to time.Duration) (e estimate, unsure time.Duration) {
	c.mu.Lock()
	latest := c.known[len(c.known)-1]
	c.mu.Unlock()
	e = c.best(from - latest.offset)
	return e, max(e.within(from-e.offset), e.within(to-e.offset))
}
