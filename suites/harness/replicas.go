package harness

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// The components that specs scale and take away.
const (
	Limiter = "limitador"
	Gateway = "gateway"
)

// askedPatience bounds the wait until a gateway asks a new limiter: Envoy looks
// its name up every 5 s (vectors/cluster, timeline).
const askedPatience = 30 * time.Second

// componentOf is the name of a component of this bed's variant, or of the one
// that all variants share.
func (b *Bed) componentOf(component string) string {
	own := component + "@" + b.variant.Name
	if slices.ContainsFunc(b.run.session.Stack.Components, func(c cluster.Component) bool { return c.Name == own }) {
		return own
	}
	return component
}

// Replicas is how many replicas a component has.
func (b *Bed) Replicas(ctx context.Context, component string) int {
	ginkgoHelper()
	n, err := b.scaler().Replicas(ctx, b.componentOf(component))
	b.able(err)
	return n
}

// Scale is a change of the number of a component's replicas. The spec's end
// brings the number back that it has now.
func (b *Bed) Scale(ctx context.Context, component string, replicas int) Change {
	ginkgoHelper()
	scaler, name, was := b.scaler(), b.componentOf(component), b.Replicas(ctx, component)
	ginkgo.DeferCleanup(func(ctx context.Context) error {
		now, err := scaler.Replicas(ctx, name)
		if err == nil && now == was {
			return nil
		}
		if err := scaler.Scale(ctx, name, was); err != nil {
			return fmt.Errorf("scale %s back to %d: %w", name, was, err)
		}
		return nil
	})
	return func(ctx context.Context) error {
		if err := scaler.Scale(ctx, name, replicas); err != nil {
			return fmt.Errorf("scale %s to %d: %w", name, replicas, err)
		}
		return nil
	}
}

// DoIfAble is Do for a change that not every provider can make. It returns when
// the change was asked for and when it was made.
func (b *Bed) DoIfAble(ctx context.Context, change Change) (asked, done time.Duration) {
	ginkgoHelper()
	asked = b.run.spec.ledger.Since()
	b.able(change(ctx))
	return asked, b.run.spec.ledger.Since()
}

func (b *Bed) scaler() cluster.Scaler {
	scaler, err := cluster.As[cluster.Scaler](b.run.system)
	if err != nil {
		b.NotJudged("no component can be scaled: %v", err)
	}
	return scaler
}

// LoseLimiter is a change that takes the limiter of this bed away and lasts
// until another is ready in its place.
func (b *Bed) LoseLimiter() Change {
	name := b.componentOf(Limiter)
	if killer, err := cluster.As[cluster.Killer](b.run.system); err == nil {
		return func(ctx context.Context) error {
			if err := killer.Kill(ctx, name); err != nil {
				return fmt.Errorf("kill %s: %w", name, err)
			}
			return killer.Ready(ctx, name)
		}
	}
	restarter, err := cluster.As[cluster.Restarter](b.run.system)
	if err != nil {
		b.NotJudged("no component can be restarted: %v", err)
	}
	return func(ctx context.Context) error { return restarter.Restart(ctx, name) }
}

// Account is what one limiter's metrics said at a moment, and Accounts are those
// of all limiters by instance, which is an address and a start time.
type (
	Account  = metrics.Tally
	Accounts map[string]Account
)

// Accounts reads each limiter's own metrics. Where they cannot be read one by
// one, the spec is skipped.
func (b *Bed) Accounts(ctx context.Context) Accounts {
	ginkgoHelper()
	accounts, err := b.accounts(ctx)
	if err == nil && len(accounts) == 0 {
		err = fmt.Errorf("no limiter's HTTP API is reachable")
	}
	if err != nil {
		b.NotJudged("the limiters cannot be told apart: %v", err)
	}
	return accounts
}

func (b *Bed) accounts(ctx context.Context) (Accounts, error) {
	limiters, err := b.limitersNow(ctx)
	if err != nil {
		return nil, err
	}
	accounts := Accounts{}
	for _, base := range limiters {
		instance, err := b.run.reader.Instance(ctx, base)
		if err != nil {
			return nil, err
		}
		if accounts[instance], err = b.counting().Limiter(ctx, base, b.variant.UserLabel); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// EveryLimiterAsked lasts until each limiter has booked a call since now, or
// patience is over: which ones were asked, the books will tell.
func (b *Bed) EveryLimiterAsked() Change {
	return func(ctx context.Context) error {
		before, err := b.accounts(ctx)
		if err != nil {
			return err
		}
		bounded, cancel := context.WithTimeout(ctx, askedPatience)
		defer cancel()
		tick := time.NewTicker(settlePoll)
		defer tick.Stop()
		for {
			if now, err := b.accounts(ctx); err == nil && allMoved(before, now) {
				return nil
			}
			select {
			case <-tick.C:
			case <-bounded.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// EveryGatewayAsked likewise lasts until each gateway has booked a hit.
func (b *Bed) EveryGatewayAsked() Change {
	return func(ctx context.Context) error {
		before, err := b.gatewayHits(ctx)
		if err != nil {
			return err
		}
		bounded, cancel := context.WithTimeout(ctx, askedPatience)
		defer cancel()
		tick := time.NewTicker(settlePoll)
		defer tick.Stop()
		for {
			now, err := b.gatewayHits(ctx)
			moved := err == nil && len(now) > 0
			for address, hits := range now {
				moved = moved && hits > before[address]
			}
			if moved {
				return nil
			}
			select {
			case <-tick.C:
			case <-bounded.Done():
				return fmt.Errorf("wait until every gateway of %s has had a hit: %w", b.variant.Name, context.Cause(bounded))
			}
		}
	}
}

// gatewayHits is how many hits each gateway has booked.
func (b *Bed) gatewayHits(ctx context.Context) (map[string]int64, error) {
	gateways, err := b.gateways(ctx)
	if err != nil {
		return nil, err
	}
	hits := map[string]int64{}
	for _, address := range gateways {
		book, err := b.run.reader.Gateway(ctx, address)
		if err != nil {
			return nil, err
		}
		hits[address] = book.Hits + book.Misses
	}
	return hits, nil
}

func allMoved(before, now Accounts) bool {
	for instance, account := range now {
		was := before[instance].Total
		if account.Total.Authorized == was.Authorized && account.Total.Limited == was.Limited {
			return false
		}
	}
	return len(now) > 0
}

// JudgeReplicas asks the oracle about an identity's hits with each limiter's own
// account of them, since the accounts that were read before.
func (b *Bed) JudgeReplicas(ctx context.Context, who tier.Identity, before Accounts, rules ...string) Judgement {
	ginkgoHelper()
	now, err := b.accounts(ctx)
	b.must(err)
	var replicas []oracle.Replica
	for instance, account := range now {
		if calls, told := b.callsBetween(before[instance], account, who); told {
			replicas = append(replicas, oracle.Replica{Instance: instance, Calls: calls})
		}
	}
	slices.SortFunc(replicas, func(a, b oracle.Replica) int { return compareNames(a.Instance, b.Instance) })
	return b.ask(ctx, b.allOf(who), func(q *oracle.Question) {
		q.Replicas = replicas
	}, rules)
}

// callsBetween are an identity's calls between two accounts of a limiter. Where
// its metrics name no caller they are all calls, of which nobody else must have
// made any: the spec runs alone.
func (b *Bed) callsBetween(before, after Account, who tier.Identity) (evidence.Calls, bool) {
	from, to := before.Total, after.Total
	if b.variant.UserLabel != "" || after.Users != nil {
		from, to = before.Users[who.Name], after.Users[who.Name]
	} else if !b.run.spec.serial {
		return evidence.Calls{}, false
	}
	return evidence.Calls{
		Authorized: to.Authorized - from.Authorized, Limited: to.Limited - from.Limited, Hits: to.Hits - from.Hits,
	}, true
}
