package attack

import (
	"context"
	"fmt"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// progressEvery is how often a caller of Fire hears how far it is.
const progressEvery = 100 * time.Millisecond

// Report sums up an attack; the ledger has the hits themselves.
type Report struct {
	// Attack is the name under which the ledger has the hits.
	Attack string
	// Fired is how many of the Planned hits have left: fewer only if the attack
	// was interrupted. Each of them has an entry.
	Planned, Fired int
	// Began is when the first hit left, Ended when the last answer was there,
	// on the ledger's clock.
	Began, Ended time.Duration
	Outcomes     map[evidence.Outcome]int
	// LagP99 and MaxLag say how late hits left after they were due: 0 for
	// Callers, whose hits are due when they leave. LagP99 is the 99th
	// percentile, rounded up by at most 1/64.
	LagP99, MaxLag time.Duration
	// BackToBack is the share of gaps between departures that are shorter than
	// a fifth of a Rate's interval; 0 for other pacers.
	BackToBack float64
}

// Fire carries out a and writes every hit to ledger; progress, if not nil, is
// told how many hits are done, at most ten times a second and at the end.
//
// No hit is retried and no redirect followed. Hits without an answer are
// entries like others and no error of Fire's. It is an error if the plan cannot
// be carried out, if the ledger cannot be written, or if ctx ends first; then
// hits in flight are given up at once and written as lost, and the report says
// how many were fired.
func Fire(ctx context.Context, a Attack, ledger *evidence.Ledger, progress func(done int)) (Report, error) {
	a, err := a.withDefaults()
	if err != nil {
		return Report{Planned: a.Hits}, err
	}
	if a.Name, err = ledger.Claim(a.Name); err != nil {
		return Report{Planned: a.Hits}, err
	}
	request, err := newRequest(a, ledger.Header())
	if err != nil {
		return Report{Attack: a.Name, Planned: a.Hits}, err
	}

	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	workers := a.Pacer.workers(a.Hits, a.Timeout)
	c := &caller{
		ctx: ctx, fail: fail, attack: a, request: request, secrets: newSecrets(a.keys()...), inner: a.Transport, ledger: ledger,
		pacing: &pacing{ctx: ctx, hits: uint64(a.Hits), pause: pauseByTimer, clock: ledger.Since, share: a.Share, gated: a.Pacer == Together},
		tally:  tally{outcomes: map[evidence.Outcome]int{}},
	}
	c.lastSent.Store(-1)
	if a.As.Name != "" && !a.Anonymous {
		c.identity = a.As.String()
	}
	if rate, ok := a.Pacer.(Rate); ok {
		c.pacing.rate, c.tally.interval = rate, rate.due(1)
	}
	if a.Pacer == Together {
		c.gate = newGate(a.Hits)
	}
	if c.inner == nil {
		way := a.Line
		if way == nil {
			way = new(Line)
			defer way.Close()
		}
		network := way.of(a, workers)
		if a.Pacer == Together {
			network.open(ctx, request.url, a.connections())
		}
		c.inner, c.pacing.pause = network, pausePrecisely
	}

	c.run(uint64(workers), progress)

	report := c.tally.report(a.Name, a.Hits)
	switch {
	case ctx.Err() != nil:
		return report, fmt.Errorf("attack %q: interrupted after %d of %d hits: %w", a.Name, report.Fired, report.Planned, context.Cause(ctx))
	case report.Fired != report.Planned:
		return report, fmt.Errorf("attack %q: %d hits were fired, not %d", a.Name, report.Fired, report.Planned)
	}
	return report, nil
}

// connections is how many connections a burst wants open before it begins.
func (a Attack) connections() int {
	switch {
	case a.Protocol == H2C:
		return 1
	case a.Connections > 0:
		return min(a.Connections, a.Hits)
	default:
		return a.Hits
	}
}

// run drives vegeta until the last hit is written. A vegeta.Attacker serves for
// one attack only: another one would fire nothing, without an error.
func (c *caller) run(workers uint64, progress func(done int)) {
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: c}),
		vegeta.Workers(workers),
		vegeta.MaxWorkers(workers),
	)
	defer context.AfterFunc(c.ctx, func() { attacker.Stop() })()

	target := vegeta.NewStaticTargeter(vegeta.Target{Method: c.attack.Target.Method, URL: c.attack.Target.URL})
	done, told := 0, time.Now()
	for result := range attacker.Attack(target, c.pacing, 0, "") {
		if result.Error == "" {
			done++
		}
		if progress != nil && time.Since(told) >= progressEvery {
			progress(done)
			told = time.Now()
		}
	}
	if progress != nil {
		progress(done)
	}
}
