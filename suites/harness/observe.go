package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// watchEvery is how often the way of a policy is looked at: it takes 0.2 to
// 0.8 s on a real installation (vectors/cluster, timeline).
const watchEvery = 25 * time.Millisecond

// watchPatience bounds the wait for limiters to show a policy, whatever its
// budget: where nobody touches the pod the kubelet brings the limits after 40 to
// 62 s (vectors/cluster, timeline), and that gap is to be measured.
const watchPatience = 75 * time.Second

// PutPolicy is a change that puts another policy before the system, and watches
// it until it is in force as far as /limits tell, and for the edit's budget
// until the status tells so too. What it sees it writes to the edit, whose What and Budget are
// the caller's. The bed's own policy is put back when the spec ends. A policy
// that cannot be edited so skips the spec, with why.
func (b *Bed) PutPolicy(edited *policy.Set, why error, edit *oracle.Edit) (after *Bed, change Change) {
	ginkgoHelper()
	if why != nil {
		b.NotJudged("the policy cannot be edited for this case: %v", why)
	}
	put := b.putter()
	after = &Bed{run: b.run, variant: b.variant, set: edited}
	clock := b.run.spec.ledger.Since
	ginkgo.DeferCleanup(b.putBack)
	return after, func(ctx context.Context) error {
		edit.Asked = clock()
		if err := put(ctx, b.variant.Name, edited); err != nil {
			return fmt.Errorf("put the policy of %s: %w", b.variant.Name, err)
		}
		edit.Put = clock()
		return after.watch(ctx, edit, clock)
	}
}

// putter puts a policy without waiting where the system can, else by an edit
// that waits until it is in force.
func (b *Bed) putter() func(context.Context, string, *policy.Set) error {
	if putter, err := cluster.As[cluster.PolicyPutter](b.run.system); err == nil {
		return putter.PutPolicy
	}
	editor, err := cluster.As[cluster.PolicyEditor](b.run.system)
	if err != nil {
		b.NotJudged("the policy cannot be edited: %v", err)
	}
	return editor.Apply
}

// putBack puts the bed's own policy in force again.
func (b *Bed) putBack(ctx context.Context) error {
	if editor, err := cluster.As[cluster.PolicyEditor](b.run.system); err == nil {
		return editor.Apply(ctx, b.variant.Name, b.set)
	}
	return b.putter()(ctx, b.variant.Name, b.set)
}

// watch notes when each limiter and the policies' status first show the bed's
// policy.
func (b *Bed) watch(ctx context.Context, edit *oracle.Edit, clock func() time.Duration) error {
	limiters, err := b.limitersNow(ctx)
	if err != nil {
		return err
	}
	observer, silent := cluster.As[cluster.PolicyObserver](b.run.system)
	tells := silent == nil
	edit.Shown, edit.Tells = make([]time.Duration, len(limiters)), tells
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		for i, base := range limiters {
			if edit.Shown[i] == 0 && b.showsOn(ctx, base) {
				edit.Shown[i] = clock()
			}
		}
		if tells && edit.Told == 0 {
			// An API server that does not answer now may tell later.
			state, err := observer.PolicyState(ctx, b.variant.Name)
			switch {
			case errors.Is(err, errors.ErrUnsupported):
				tells, edit.Tells = false, false
			case err == nil && state.Exists && state.Current && state.Enforced:
				edit.Told = clock()
			}
		}
		edit.Watched = clock()
		shown, over := !slices.Contains(edit.Shown, 0), edit.Watched > edit.Put+edit.Budget
		if shown && (!tells || edit.Told > 0 || over) || edit.Watched > edit.Put+watchPatience {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("watch the policy of %s: %w", b.variant.Name, context.Cause(ctx))
		}
	}
}

// limitersNow are the limiters as they are now.
func (b *Bed) limitersNow(ctx context.Context) ([]string, error) {
	lister, err := cluster.As[cluster.LimiterLister](b.run.system)
	if err != nil {
		// Those of the start are those that are known.
		return b.variant.Limiters, nil //nolint:nilerr // see above
	}
	limiters, err := lister.Limiters(ctx, b.variant.Name)
	if err != nil {
		return nil, fmt.Errorf("list the limiters of %s: %w", b.variant.Name, err)
	}
	return limiters, nil
}

// JudgeEdit asks the oracle about everything that an identity has fired around
// an edit of the policy, with /counters as the limiter shows it now.
func (b *Bed) JudgeEdit(ctx context.Context, who tier.Identity, edit oracle.Edit, rules ...string) Judgement {
	ginkgoHelper()
	read := b.counters(ctx)
	return b.ask(ctx, b.allOf(who), func(q *oracle.Question) {
		q.Want.Edit, q.Counters = &edit, read
	}, rules)
}
