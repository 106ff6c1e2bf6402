package harness

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// foreignClock is by how much the clock of another machine may differ from
	// this one's: time servers keep machines that ask them nearer than this.
	foreignClock = 500 * time.Millisecond
	// roomy is how much of a window by the clock a caller's first hits want before
	// them, at most a quarter of it: enough for a quota, one at a time.
	roomy = 5 * time.Second
)

// model is how the limiter of this bed is declared to count.
func (b *Bed) model() oracle.WindowModel {
	return cmp.Or(oracle.WindowModel(b.variant.WindowModel), b.run.session.WindowModel, oracle.FirstHit)
}

// clockDoubt is by how much the limiter's clock may differ from this machine's.
func (b *Bed) clockDoubt() time.Duration {
	stack := b.run.session.Stack
	here := func(c cluster.Component) bool { return c.PID > 0 }
	if stack.Provider == double.New().Name() || slices.ContainsFunc(stack.Components, here) {
		return 0
	}
	return foreignClock
}

// leaveOutOtherModels ends a case about windows that begin with a hit where the
// limiter is declared to count otherwise. Where something was judged already,
// the rule's own doubt stands beside it.
func (b *Bed) leaveOutOtherModels(rules []string) {
	if b.model() == oracle.FirstHit || len(b.run.spec.result.Findings) > 0 {
		return
	}
	if at := slices.IndexFunc(rules, oracle.FirstHitOnly); at >= 0 {
		b.NotJudged("%s is about window model %q, and %q is declared", rules[at], oracle.FirstHit, b.model())
	}
}

// WindowEnds are the earliest and the latest moment, on the ledger's clock, at
// which all of a spent quota can be there again: where windows begin with a hit
// both are a window after the first one, by the clock they are its next end, and
// where windows slide the last hit admitted must be forgotten too.
func (b *Bed) WindowEnds(hits Hits, who tier.Identity) (earliest, latest time.Duration) {
	binding, limited := tier.Binding(who.Limits)
	hits = hits.Of(who)
	if !limited || len(hits.entries) == 0 {
		return 0, 0
	}
	switch b.model() {
	case oracle.Epoch:
		return b.epochEnd(hits.FirstSent(), binding.Window) - b.clockDoubt(), b.epochEnd(hits.FirstAnswered(), binding.Window) + b.clockDoubt()
	case oracle.Sliding:
		admitted := hits.admitted()
		last := admitted.extreme(func(e evidence.Entry) time.Duration { return e.Received }, slices.Max)
		return hits.FirstSent() + binding.Window, max(hits.FirstAnswered(), last) + binding.Window
	case oracle.FirstHit:
	}
	return hits.FirstSent() + binding.Window, hits.FirstAnswered() + binding.Window
}

// AllWindowEnds are the earliest and the latest of WindowEnds of several callers.
func (b *Bed) AllWindowEnds(hits Hits, callers []tier.Identity) (earliest, latest time.Duration) {
	for i, who := range callers {
		first, last := b.WindowEnds(hits, who)
		if i == 0 || first < earliest {
			earliest = first
		}
		latest = max(latest, last)
	}
	return earliest, latest
}

// epochEnd is the end, on the ledger's clock, of the window by the clock that
// holds a moment.
func (b *Bed) epochEnd(moment, window time.Duration) time.Duration {
	wall := b.run.spec.ledger.Header().Began.Add(moment)
	return moment + window - time.Duration(wall.UnixNano()%int64(window))
}

// settleIntoWindow waits where the first hits of a caller would run into the end
// of a window by the clock: a quota spent on both sides of it proves little.
func (b *Bed) settleIntoWindow(ctx context.Context, attacks []attack.Attack) {
	if b.model() != oracle.Epoch {
		return
	}
	for _, a := range attacks {
		who := subjectOf(a)
		if who == "" || b.hasFired(who) {
			continue
		}
		for _, limit := range a.As.Limits {
			now := b.run.spec.ledger.Since()
			if end := b.epochEnd(now, limit.Window); limit.Window > 0 && end-now < min(limit.Window/4, roomy) {
				b.Wait(ctx, end+oracle.Edge(limit.Window)+b.clockDoubt(), "a window that ends by the clock")
			}
		}
	}
}

func (b *Bed) hasFired(who string) bool {
	for _, plan := range b.run.spec.attacks {
		if plan.identity == who && plan.variant == b.variant.Name {
			return true
		}
	}
	return false
}
