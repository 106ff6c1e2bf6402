package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// Other components that specs cut off and slow down.
const (
	Authorizer = "authorino"
	Model      = "llmd"
)

// Services are how long this bed's gateway waits for its services, and what it
// does when they fail. Where that is not known the spec is skipped.
func (b *Bed) Services() cluster.Services {
	ginkgoHelper()
	if b.variant.Services == nil {
		b.NotJudged("it is not known what provider %s tells gateways to do when a service fails", b.run.session.Stack.Provider)
	}
	return *b.variant.Services
}

// NeedsRetries skips the spec where it is not known that this bed's gateway sends
// hits again that the model fails.
func (b *Bed) NeedsRetries() {
	ginkgoHelper()
	if b.variant.GatewayRetries == 0 {
		b.NotJudged("provider %s gives gateways no retry policy", b.run.session.Stack.Provider)
	}
}

// CutOff has calls of a component fail, from put until mend or the spec's end.
func (b *Bed) CutOff(component string) (put, mend Change) {
	ginkgoHelper()
	return b.Interfere(component, cluster.NetworkFault{Cut: true})
}

// Interfere has calls of a component meet a fault of the network likewise.
func (b *Bed) Interfere(component string, fault cluster.NetworkFault) (put, mend Change) {
	ginkgoHelper()
	interferer, err := cluster.As[cluster.Interferer](b.run.system)
	if err != nil {
		b.NotJudged("the network cannot be interfered with: %v", err)
	}
	name := component
	if b.componentOf(Gateway) != Gateway {
		// A gateway of its own has ways of its own, also to what all share.
		name += "@" + b.variant.Name
	}
	return undone(func(ctx context.Context) (func(context.Context) error, error) {
		return interferer.Interfere(ctx, name, fault)
	})
}

// undone makes two changes of one that can be taken back, which the spec's end
// does if the spec has not.
func undone(do func(context.Context) (func(context.Context) error, error)) (put, mend Change) {
	var undo func(context.Context) error
	put = func(ctx context.Context) (err error) {
		undo, err = do(ctx)
		return err
	}
	mend = func(ctx context.Context) error {
		if undo == nil {
			return nil
		}
		err := undo(ctx)
		if err == nil {
			undo = nil
		}
		return err
	}
	ginkgo.DeferCleanup(func(ctx context.Context) error { return mend(ctx) })
	return put, mend
}

// Pause is a change that holds a component still for so long.
func (b *Bed) Pause(component string, d time.Duration) Change {
	ginkgoHelper()
	pauser, err := cluster.As[cluster.Pauser](b.run.system)
	if err != nil {
		b.NotJudged("no component can be held still: %v", err)
	}
	name := b.componentOf(component)
	return func(ctx context.Context) error { return pauser.Pause(ctx, name, d) }
}

// LimiterAway has this bed without a limiter, from away until back or the spec's
// end: by none of its replicas, or by telling the one that there is to stop.
func (b *Bed) LimiterAway(ctx context.Context) (away, back Change) {
	ginkgoHelper()
	if scaler, err := cluster.As[cluster.Scaler](b.run.system); err == nil {
		name, was := b.componentOf(Limiter), b.Replicas(ctx, Limiter)
		return b.Scale(ctx, Limiter, 0), func(ctx context.Context) error { return scaler.Scale(ctx, name, was) }
	}
	stopper, stops := cluster.As[cluster.Stopper](b.run.system)
	restarter, starts := cluster.As[cluster.Restarter](b.run.system)
	if why := errors.Join(stops, starts); why != nil {
		b.NotJudged("no component can be taken away: %v", why)
	}
	name := b.componentOf(Limiter)
	return undone(func(ctx context.Context) (func(context.Context) error, error) {
		b.run.reader.Close()
		if err := stopper.Stop(ctx, name); err != nil {
			return nil, fmt.Errorf("stop %s: %w", name, err)
		}
		again := func(ctx context.Context) error {
			if err := restarter.Restart(ctx, name); err != nil {
				return fmt.Errorf("start %s anew: %w", name, err)
			}
			return nil
		}
		if err := b.unanswered(ctx); err != nil {
			return nil, errors.Join(err, again(context.WithoutCancel(ctx)))
		}
		return again, nil
	})
}

// unanswered returns once no limiter of this bed answers any more.
func (b *Bed) unanswered(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, askedPatience)
	defer cancel()
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	for {
		answers := false
		for _, base := range b.variant.Limiters {
			_, err := b.run.reader.Status(bounded, base)
			answers = answers || err == nil
		}
		if !answers {
			return nil
		}
		select {
		case <-tick.C:
		case <-bounded.Done():
			return fmt.Errorf("the limiter answers although it was told to stop: %w", context.Cause(bounded))
		}
	}
}

// JudgeFailing asks the oracle about everything that an identity has fired while
// calls of the limiter were made to fail.
func (b *Bed) JudgeFailing(ctx context.Context, who tier.Identity, failing oracle.Failing, rules ...string) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.allOf(who), func(q *oracle.Question) {
		q.Want.Failing = &failing
	}, rules)
}

// StepClock is a change of the limiter's wall clock. The spec's end takes back what
// its changes have left.
func (b *Bed) StepClock(by time.Duration) Change {
	ginkgoHelper()
	stepper, err := cluster.As[cluster.ClockStepper](b.run.system)
	if err != nil {
		b.NotJudged("no clock can be stepped: %v", err)
	}
	name, moved := b.componentOf(Limiter), false
	ginkgo.DeferCleanup(func(ctx context.Context) error {
		if !moved {
			return nil
		}
		return stepper.StepClock(ctx, name, -by)
	})
	return func(ctx context.Context) error {
		if err := stepper.StepClock(ctx, name, by); err != nil {
			return err
		}
		moved = true
		return nil
	}
}

// JudgeStep asks the oracle about everything that an identity has fired around a
// step of the limiter's clock.
func (b *Bed) JudgeStep(ctx context.Context, who tier.Identity, step oracle.Step, rules ...string) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.allOf(who), func(q *oracle.Question) {
		q.Want.Step = &step
	}, rules)
}
