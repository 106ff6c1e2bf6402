package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// Seen tells from the hits so far whether what they are fired for has shown.
type Seen func(Hits) bool

// AtOnce waits for nothing but the change.
func AtOnce(Hits) bool { return true }

// SomebodyDenied waits for the first denial.
func SomebodyDenied(hits Hits) bool {
	return slices.ContainsFunc(hits.entries, func(e evidence.Entry) bool { return e.Outcome == evidence.Denied })
}

// DeniedAgain waits until an identity's last hit is denied.
func DeniedAgain(who tier.Identity) Seen {
	return func(hits Hits) bool {
		mine := hits.Of(who).entries
		return len(mine) > 0 && mine[len(mine)-1].Outcome == evidence.Denied
	}
}

// SomebodyOf waits for an identity's first hit that ends so.
func SomebodyOf(who tier.Identity, outcome evidence.Outcome) Seen {
	return func(hits Hits) bool {
		return slices.ContainsFunc(hits.Of(who).entries, func(e evidence.Entry) bool { return e.Outcome == outcome })
	}
}

// Never waits as long as patience lasts.
func Never(Hits) bool { return false }

// FireThrough fires attacks again and again, from before a change until after
// it: at least one round leaves after the change was made, and rounds go on
// until what they are fired for has shown, for patience at most. It returns when
// the change was asked for and when it was made.
func (b *Bed) FireThrough(ctx context.Context, change Change, seen Seen, patience time.Duration, attacks ...attack.Attack) (hits Hits, asked, done time.Duration) {
	ginkgoHelper()
	b.open(ctx)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	clock := b.run.spec.ledger.Since
	changed := make(chan error, 1)
	go func() {
		lead := time.NewTimer(settleLead)
		defer lead.Stop()
		select {
		case <-lead.C:
		case <-ctx.Done():
			changed <- context.Cause(ctx)
			return
		}
		asked = clock()
		err := change(ctx)
		done = clock()
		changed <- err
	}()
	for round, made := 1, false; ; round++ {
		last := made
		if !made {
			select {
			case err := <-changed:
				b.able(err)
				made, last = true, true
			default:
			}
		}
		hits = hits.And(b.Fire(ctx, inRound(round, attacks)...))
		if last && (seen(hits) || clock()-done > patience) {
			return hits, asked, done
		}
	}
}

// able ends the spec where something could not be done: one that this provider
// cannot do at all, or not on this component, is not judged.
func (b *Bed) able(err error) {
	ginkgoHelper()
	if errors.Is(err, errors.ErrUnsupported) {
		b.NotJudged("provider %s: %v", b.run.session.Stack.Provider, err)
	}
	b.must(err)
}

// inRound names the attacks of one round.
func inRound(round int, attacks []attack.Attack) []attack.Attack {
	named := slices.Clone(attacks)
	for i := range named {
		if named[i].Name != "" {
			named[i].Name = fmt.Sprintf("%s-%d", named[i].Name, round)
		}
	}
	return named
}

// Reopen has the books read anew before the next hit: those that were read
// before a component was replaced tell nothing of its successor, and those before
// other hits of the same caller do not tell these from them.
func (b *Bed) Reopen() { delete(b.run.spec.before, b.variant.Name) }

// JudgeChange asks the oracle about everything that an identity has fired around
// a change.
func (b *Bed) JudgeChange(ctx context.Context, who tier.Identity, change oracle.Change, rules ...string) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.allOf(who), func(q *oracle.Question) {
		q.Want.Change = &change
	}, rules)
}
