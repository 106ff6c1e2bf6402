// Package crew carries an attack out by several workers, processes or pods,
// each of whom fires a share of its hits, and merges their ledgers into one, on
// one clock. A worker is this package too: see Main.
package crew

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

const (
	// DefaultSilence is how long a worker may say nothing before it is given up.
	DefaultSilence = 5 * time.Second
	// minLead is the least time between the decision when an attack begins and
	// its begin; leadTrips is how many round trips it is at least.
	minLead   = 150 * time.Millisecond
	leadTrips = 10
	// leads is how often a worker that fires alone may be told too late, with
	// twice the lead each time, before the attack is given up: it has not begun,
	// and nobody waits for it. Those who begin together get togetherLead at once,
	// for they have one chance.
	leads        = 6
	togetherLead = 500 * time.Millisecond
	// endGrace is how long workers may take to hand over what they have when the
	// attack is interrupted.
	endGrace = 3 * time.Second
	// progressEvery is how often a caller of Fire hears how far it is.
	progressEvery = 100 * time.Millisecond
)

// Crew are the workers that share attacks. Several attacks may be fired at a
// time.
type Crew struct {
	// Silence is DefaultSilence unless it is changed before the first attack.
	Silence time.Duration

	members []*member
	// base makes our clock: the wall clock then, and monotonic since.
	base time.Time
}

// NewToken makes the token of a run's workers.
func NewToken() string { return rand.Text() }

// New is the crew of the workers at these base URLs, in the order of their
// index, who all know the token.
func New(urls []string, token string) *Crew {
	c := &Crew{Silence: DefaultSilence, base: time.Now()}
	client := &http.Client{
		// Each attack reads a ledger and asks for the clock meanwhile.
		Transport:     &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for i, url := range urls {
		c.members = append(c.members, &member{name: "worker-" + strconv.Itoa(i), url: url, token: token, client: client})
	}
	return c
}

// Workers is how many there are.
func (c *Crew) Workers() int { return len(c.members) }

// Close ends idle connections to the workers, who stay.
func (c *Crew) Close() {
	if len(c.members) > 0 {
		c.members[0].client.CloseIdleConnections()
	}
}

// now is our clock.
func (c *Crew) now() time.Duration { return c.at(time.Now()) }

func (c *Crew) at(t time.Time) time.Duration {
	return time.Duration(c.base.UnixNano()) + t.Sub(c.base)
}

// Fire is attack.Fire by the crew: what the workers did is in the report, the
// ledger, and the rows of the workers.
//
// The times in the ledger are our clock's, Sent earlier and Received later by
// what is not known of the worker's clock, so that each entry is an interval
// that holds the limiter's decision. The lags of the report are measured by the
// workers' own clocks.
//
// It is an error if a worker is gone before it has handed over all of its hits.
// Those that are missing are in the ledger as lost: whether they were fired,
// nobody knows.
func (c *Crew) Fire(ctx context.Context, a attack.Attack, ledger *evidence.Ledger, progress func(done int)) (attack.Report, []reports.Worker, error) {
	none := attack.Report{Planned: a.Hits}
	if err := a.Check(); err != nil {
		return none, nil, err
	}
	if a.Transport != nil || a.Line != nil || a.Share != nil {
		return none, nil, fmt.Errorf("attack %q: one with a transport, a line or a share cannot be shared", a.Name)
	}
	if len(c.members) == 0 {
		return none, nil, fmt.Errorf("attack %q: the crew has no worker", a.Name)
	}
	name, err := ledger.Claim(a.Name)
	if err != nil {
		return none, nil, err
	}
	a.Name = name
	f := newFiring(c, a, ledger, progress)
	defer f.drop(ctx)
	if err := f.prepare(ctx); err != nil {
		none.Attack = name
		return none, f.rows(), fmt.Errorf("attack %q: %w", name, err)
	}
	err = f.carryOut(ctx)
	report := f.report()
	switch {
	case err != nil:
	case ctx.Err() != nil:
		err = fmt.Errorf("interrupted after %d of %d hits: %w", report.Fired, report.Planned, context.Cause(ctx))
	case report.Fired != report.Planned:
		err = fmt.Errorf("%d hits were fired, not %d", report.Fired, report.Planned)
	}
	if err != nil {
		err = fmt.Errorf("attack %q: %w", name, err)
	}
	return report, f.rows(), err
}

// prepare compares clocks and has every worker ready to begin.
func (f *firing) prepare(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range f.parts {
		group.Go(func() error {
			err := p.member.compare(ctx, exchanges, f.crew.now)
			if err != nil {
				return p.blame(err)
			}
			plan, err := planOf(f.attack, p.share, f.id, f.ledger.Header().Case, f.prefix)
			if err != nil {
				return err
			}
			ready, err := p.member.plan(ctx, plan)
			p.began = time.Duration(ready.Began)
			return p.blame(err)
		})
	}
	return group.Wait()
}

// carryOut agrees on the begin and reads all ledgers to their ends.
func (f *firing) carryOut(ctx context.Context) error {
	// What the workers have fired is read also when the attack is interrupted.
	reading, give := context.WithCancelCause(context.WithoutCancel(ctx))
	defer give(nil)
	f.fail = func(err error) {
		f.stop(reading)
		give(err)
	}
	defer context.AfterFunc(ctx, func() {
		f.stop(reading)
		grace := time.AfterFunc(endGrace, func() { give(context.Cause(ctx)) })
		context.AfterFunc(reading, func() { grace.Stop() })
	})()

	var reads errgroup.Group
	late := f.begin(ctx)
	for _, p := range f.parts {
		reads.Go(func() error { return f.read(reading, p) })
	}
	refreshing, enough := context.WithCancel(reading)
	var refresher errgroup.Group
	refresher.Go(func() error {
		f.refresh(refreshing)
		return nil
	})
	if late != nil {
		// Some may have begun and some not: that is not the attack of the plan.
		f.stop(reading)
	}
	err := reads.Wait()
	enough()
	return errors.Join(late, err, refresher.Wait())
}

// begin agrees on the begin and tells every worker.
func (f *firing) begin(ctx context.Context) error {
	lead, attempts := f.lead(), leads
	if len(f.parts) > 1 {
		lead, attempts = max(lead, togetherLead), 1
	}
	for attempt := 1; ; attempt++ {
		f.begins = f.crew.now() + lead
		var starts errgroup.Group
		for _, p := range f.parts {
			p.offset = p.member.clock.best(f.begins).offset
			starts.Go(func() error { return p.blame(p.member.start(ctx, f.id, f.begins+p.offset)) })
		}
		err := starts.Wait()
		if attempt == attempts || !errors.Is(err, errTooLate) {
			return err
		}
		lead *= 2
	}
}

// lead is how long from now the attack begins, so that every worker is told in
// time.
func (f *firing) lead() time.Duration {
	lead := minLead
	for _, p := range f.parts {
		lead = max(lead, 2*leadTrips*p.member.clock.best(f.crew.now()).unsure)
	}
	return lead
}

// refresh compares clocks again and again until ctx ends. A comparison that
// fails leaves the older ones, which say less and less.
func (f *firing) refresh(ctx context.Context) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var asks errgroup.Group
		for _, p := range f.parts {
			asks.Go(func() error { return p.member.compare(ctx, refreshes, f.crew.now) })
		}
		_ = asks.Wait()
	}
}

// each calls every worker that takes part, at once.
func (f *firing) each(call func(*part)) {
	var calls errgroup.Group
	for _, p := range f.parts {
		calls.Go(func() error {
			call(p)
			return nil
		})
	}
	_ = calls.Wait()
}

// stop ends all shares. A worker that cannot be told ends its share when nobody
// reads its ledger.
func (f *firing) stop(ctx context.Context) {
	f.stopped.Store(true)
	f.each(func(p *part) { _ = p.member.stop(context.WithoutCancel(ctx), f.id, false) })
}

// drop has the workers forget the attack, and the key with it.
func (f *firing) drop(ctx context.Context) {
	f.each(func(p *part) {
		if !p.gone {
			_ = p.member.stop(context.WithoutCancel(ctx), f.id, true)
		}
	})
}
