package attack

import (
	"context"
	"fmt"
	"math"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// maxWorkers bounds the hits in flight of a Rate: above it hits leave late,
// which the report's lag shows, instead of piling up without end.
const maxWorkers = 1024

// Pacer says when each hit leaves: OneAtATime, Callers, Rate or Together.
type Pacer interface {
	check() error
	// workers is how many hits may be in flight.
	workers(hits int, timeout time.Duration) int
}

// Callers is so many callers side by side, each of whom fires again as soon as
// it has its answer.
type Callers int

// OneAtATime fires each hit after the answer to the one before.
const OneAtATime Callers = 1

// Rate is open loop: so many hits a second, evenly spaced, whatever the answers
// do.
type Rate float64

// Together releases all hits at once, through one barrier, each with a
// connection that was opened before.
const Together barrierPacer = true

type barrierPacer bool

func (c Callers) check() error {
	if c < 1 {
		return fmt.Errorf("Pacer Callers(%d): want at least 1", int(c))
	}
	return nil
}

func (c Callers) workers(hits int, _ time.Duration) int { return min(int(c), hits) }

func (r Rate) check() error {
	if !(r > 0) || math.IsInf(float64(r), 1) {
		return fmt.Errorf("Pacer Rate(%v): want hits per second, more than 0", float64(r))
	}
	return nil
}

// workers by Little's law: the most hits that can be in flight is rate times
// the longest answer.
func (r Rate) workers(hits int, timeout time.Duration) int {
	inFlight := math.Ceil(float64(r)*timeout.Seconds()) + 1
	return min(hits, int(min(inFlight, maxWorkers)))
}

// due is when hit seq leaves, from the attack's begin.
func (r Rate) due(seq uint64) time.Duration {
	return time.Duration(float64(seq) / float64(r) * float64(time.Second))
}

func (barrierPacer) check() error { return nil }

func (barrierPacer) workers(hits int, _ time.Duration) int { return hits }

// pacing is vegeta's Pacer for one attack. The number of hits is bounded here
// because nowhere else is it exact: a duration may be off by one or two, and a
// targeter that runs dry leaves extra results.
type pacing struct {
	ctx  context.Context // vegeta's Pacer takes none, and a pause must end with the attack
	hits uint64
	// rate is 0 for hits that leave as soon as a worker is free.
	rate Rate
	// pause waits until the context ends or the duration is over.
	pause func(context.Context, time.Duration)
	// clock is the ledger's; begin is when hit 0 is due on it.
	clock func() time.Duration
	begin time.Duration
	// share is nil for a whole attack.
	share *Share
	// gated says that hits wait for each other after they were paced.
	gated bool
}

// start waits until the whole attack begins, which a share is told, and is that
// time on the ledger's clock.
func (p *pacing) start() time.Duration {
	if p.share == nil {
		return p.clock()
	}
	at, err := p.share.Await(p.ctx)
	if err != nil {
		return p.clock()
	}
	if early := at - p.clock(); early > 0 {
		p.pause(p.ctx, early)
	}
	return at
}

var _ vegeta.Pacer = (*pacing)(nil)

// Pace blocks until the next hit is due instead of returning the wait: vegeta
// would sleep it off in the runtime, whose timers wake in steps of about 1 ms
// when the process is idle, and nearly half of 2,000 hits per second would
// leave in pairs.
func (p *pacing) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	if hits >= p.hits || p.ctx.Err() != nil {
		return 0, true
	}
	// Hits that leave together are all held at their gate.
	if hits == 0 && !p.gated {
		p.begin = p.start()
	}
	if p.rate > 0 {
		if early := p.due(hits) - p.clock(); early > 0 {
			p.pause(p.ctx, early)
		}
	}
	return 0, p.ctx.Err() != nil
}

// due is when the nth hit leaves, on the ledger's clock. It is known once the
// first hit was paced.
func (p *pacing) due(nth uint64) time.Duration {
	return p.begin + p.share.phase(p.rate) + p.rate.due(nth)
}

// Rate is for vegeta's reports only.
func (p *pacing) Rate(time.Duration) float64 { return float64(p.rate) }

// pauseByTimer waits on the runtime's clock, be it real or virtual.
func pauseByTimer(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
