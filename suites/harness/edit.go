package harness

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// editBudget is how long an edit of the limits file may take to be in force.
// The real limiter takes 3 ms (sut.md 2.9).
const editBudget = time.Second

// settlePoll is how often the limits in force are read meanwhile.
const settlePoll = 10 * time.Millisecond

// Edit puts another policy in force in the bed's variant until the spec ends,
// and returns the bed under it. A policy that cannot be edited so skips the
// spec, with why.
func (b *Bed) Edit(ctx context.Context, edited *policy.Set, why error) *Bed {
	ginkgoHelper()
	if why != nil {
		b.NotJudged("the policy cannot be edited for this case: %v", why)
	}
	editor, err := cluster.As[cluster.PolicyEditor](b.run.system)
	if err != nil {
		b.NotJudged("provider %s edits no policies: %v", b.run.session.Stack.Provider, err)
	}
	b.open(ctx)
	if s := b.run.spec; !s.edited[b.variant.Name] {
		s.edited[b.variant.Name] = true
		original := b.run.sets[b.variant.Name]
		ginkgo.DeferCleanup(func(ctx context.Context) error { return editor.Apply(ctx, b.variant.Name, original) })
	}
	b.must(editor.Apply(ctx, b.variant.Name, edited))
	clear(b.run.spec.after)
	return &Bed{run: b.run, variant: b.variant, set: edited}
}

// Under is an identity with the limits that the bed's policy puts on it.
func (b *Bed) Under(who tier.Identity) tier.Identity {
	request := b.set.Request()
	who.Limits, _ = b.LimitsOn(who, request.Method, request.Path)
	return who
}

// ReplaceLimits replaces the limits file of this bed's policy by the other's
// and back, an odd number of times, and waits each time until the limiter shows
// it, as long as an edit may take. Once it did not, only the last is waited for.
func (b *Bed) ReplaceLimits(other *Bed, how cluster.Replacement, times int) Change {
	ginkgoHelper()
	editor, err := cluster.As[cluster.LimitsFileEditor](b.run.system)
	if err != nil {
		b.NotJudged("provider %s has no limits file to replace: %v", b.run.session.Stack.Provider, err)
	}
	return func(ctx context.Context) error {
		noticed := true
		for n := range times | 1 {
			next := other
			if n%2 == 1 {
				next = b
			}
			if err := editor.ReplaceLimits(ctx, b.variant.Name, next.set, how); err != nil {
				return fmt.Errorf("replace the limits by %s: %w", how, err)
			}
			if noticed || n == (times|1)-1 {
				noticed = next.shown(ctx)
			}
		}
		return nil
	}
}

// shown waits until the limiters show the bed's limits and says whether they
// did in time.
func (b *Bed) shown(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, editBudget)
	defer cancel()
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	for {
		if b.shows(ctx) {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

func (b *Bed) shows(ctx context.Context) bool {
	return !slices.ContainsFunc(b.variant.Limiters, func(base string) bool { return !b.showsOn(ctx, base) })
}

// showsOn says whether one limiter shows the bed's limits, all and no other.
func (b *Bed) showsOn(ctx context.Context, base string) bool {
	var want, got []string
	for _, l := range b.LimitsOfPolicy() {
		want = append(want, fmt.Sprint(l.Namespace, l.MaxValue, l.Seconds, l.Conditions))
	}
	limits, err := b.limitsInForce(ctx, base)
	if err != nil {
		return false
	}
	for _, l := range limits {
		got = append(got, fmt.Sprint(l.Namespace, l.MaxValue, l.Seconds, l.Conditions))
	}
	slices.Sort(want)
	slices.Sort(got)
	return slices.Equal(want, got)
}
