package harness

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// settleLead is how long attacks run before what they run for is changed: long
// enough to be answered as before.
const settleLead = 500 * time.Millisecond

// Change is what FireWhile does to the system under test. It must not touch the
// case under way.
type Change func(ctx context.Context) error

// FireWhile fires attacks side by side and changes something in their midst.
// It returns when the change was asked for and when it was accepted.
func (b *Bed) FireWhile(ctx context.Context, change Change, attacks ...attack.Attack) (hits Hits, asked, done time.Duration) {
	ginkgoHelper()
	b.open(ctx)
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
	hits = b.Fire(ctx, attacks...)
	b.must(<-changed)
	return hits, asked, done
}

// PutSecret puts a Secret in force on this bed, without waiting until the
// authorizer has noticed.
func (b *Bed) PutSecret(secret []byte) Change {
	editor := b.secretEditor()
	return func(ctx context.Context) error { return editor.PutSecret(ctx, b.variant.Name, secret) }
}

// DeleteSecret takes a Secret away, without waiting likewise.
func (b *Bed) DeleteSecret(secret []byte) Change {
	editor := b.secretEditor()
	return func(ctx context.Context) error { return editor.DeleteSecret(ctx, b.variant.Name, secret) }
}

// ApplyPolicy puts another policy in force on this bed.
func (b *Bed) ApplyPolicy(set *policy.Set) Change {
	editor, err := cluster.As[cluster.PolicyEditor](b.run.system)
	if err != nil {
		b.NotJudged("provider %s cannot edit policies: %v", b.run.session.Stack.Provider, err)
	}
	return func(ctx context.Context) error { return editor.Apply(ctx, b.variant.Name, set) }
}

// Do makes a change at once, while nothing is fired.
func (b *Bed) Do(ctx context.Context, change Change) (done time.Duration) {
	ginkgoHelper()
	b.must(change(ctx))
	return b.run.spec.ledger.Since()
}

func (b *Bed) secretEditor() cluster.SecretEditor {
	editor, err := cluster.As[cluster.SecretEditor](b.run.system)
	if err != nil {
		b.NotJudged("provider %s cannot change Secrets: %v", b.run.session.Stack.Provider, err)
	}
	return editor
}

// RestartAuthorizer ends this bed's authorizer and starts it again.
func (b *Bed) RestartAuthorizer() Change {
	restarter, err := cluster.As[cluster.Restarter](b.run.system)
	if err != nil {
		b.NotJudged("provider %s cannot restart components: %v", b.run.session.Stack.Provider, err)
	}
	component := "authorino"
	if b.variant.Name != Policy {
		component += "@" + b.variant.Name
	}
	return func(ctx context.Context) error { return restarter.Restart(ctx, component) }
}

// RestartGateway ends this bed's gateway and starts it again, counters of its own
// included.
func (b *Bed) RestartGateway() Change {
	restarter, err := cluster.As[cluster.Restarter](b.run.system)
	if err != nil {
		b.NotJudged("provider %s cannot restart components: %v", b.run.session.Stack.Provider, err)
	}
	name := b.componentOf(Gateway)
	return func(ctx context.Context) error { return restarter.Restart(ctx, name) }
}

// Has tells whether the stack has a variant of the policy.
func (b *Bed) Has(variant string) bool {
	_, ok := b.run.session.Stack.Variants[variant]
	return ok
}

// Both makes one change after the other.
func Both(changes ...Change) Change {
	return func(ctx context.Context) error {
		for _, change := range changes {
			if err := change(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// Recruit makes an identity that nobody knows yet, and the manifest of its
// Secret.
func (b *Bed) Recruit(tierName string) (tier.Identity, []byte) {
	ginkgoHelper()
	user, key, err := b.newcomer()
	b.must(err)
	identity, secret, err := b.set.Mint(tierName, user, key)
	if err != nil {
		b.NotJudged("no fresh identity can be made in tier %s: %v", tierName, err)
	}
	return identity, secret
}

// Admit issues an identity that was recruited, here or on another bed.
func (b *Bed) Admit(ctx context.Context, identity tier.Identity, secret []byte) {
	ginkgoHelper()
	b.issue(ctx, identity, secret)
}

// Rekeyed is the identity with another key, which nobody knows yet.
func (b *Bed) Rekeyed(who tier.Identity) tier.Identity {
	ginkgoHelper()
	_, key, err := b.newcomer()
	b.must(err)
	who.Key = key
	return who
}

// SecretOf is the manifest of an identity's Secret; one that is not watched
// lacks the label by which the authorizer watches Secrets.
func (b *Bed) SecretOf(who tier.Identity, watched bool) []byte {
	ginkgoHelper()
	secret, err := b.set.Reissue(who, watched)
	if err != nil {
		b.NotJudged("%v", fmt.Errorf("the Secret of %s cannot be written: %w", who, err))
	}
	return secret
}

// JudgeAbout asks the oracle about some hits of an identity, with what the case
// declares.
func (b *Bed) JudgeAbout(ctx context.Context, who tier.Identity, hits Hits, want oracle.Want, rules ...string) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.question("", func(name string, _ attackPlan) bool {
		return slices.Contains(hits.attacks, name)
	}), func(q *oracle.Question) {
		q.Want = want
		q.Subject.Name, q.Subject.Limits, q.Subject.Fresh = who.Name, who.Limits, who.Fresh
	}, rules)
}

// In are the hits of one attack.
func (h Hits) In(name string) Hits {
	return Hits{[]string{name}, slices.DeleteFunc(slices.Clone(h.entries), func(e evidence.Entry) bool { return e.Attack != name })}
}
