package harness

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// JudgeCounters is Judge with /counters as the limiter shows it now.
func (b *Bed) JudgeCounters(ctx context.Context, who tier.Identity, rules ...string) Judgement {
	ginkgoHelper()
	read := b.counters(ctx)
	return b.ask(ctx, b.question(who.String(), func(_ string, plan attackPlan) bool {
		return plan.identity == who.String() && plan.variant == b.variant.Name
	}), func(q *oracle.Question) {
		q.Subject = oracle.Subject{Identity: who.String(), Name: who.Name, Limits: who.Limits, Fresh: who.Fresh}
		q.Counters = read
	}, rules)
}

// counters reads the live counters of every scope that the policy has or had.
func (b *Bed) counters(ctx context.Context) *evidence.CounterBook {
	ctx, cancel := context.WithTimeout(ctx, bookPatience)
	defer cancel()
	book := &evidence.CounterBook{}
	limiters, err := b.limiters(ctx)
	if err != nil || len(limiters) != 1 {
		book.Missing = "the case needs exactly one limiter whose HTTP API can be reached"
		return book
	}
	for _, scope := range b.scopes() {
		counters, err := b.run.reader.Counters(ctx, limiters[0], scope)
		if err != nil {
			return &evidence.CounterBook{Missing: err.Error()}
		}
		for _, c := range counters {
			book.Counters = append(book.Counters, evidence.LiveCounter{
				Limit: evidence.LimitInForce(c.Limit), Values: slices.Sorted(maps.Values(c.SetVariables)),
				Remaining: c.Remaining, ExpiresIn: c.ExpiresIn,
			})
		}
	}
	book.At = time.Now()
	return book
}

// JudgeCrowd asks the oracle about the hits of fresh identities that share
// their limits.
func (b *Bed) JudgeCrowd(ctx context.Context, crowd []tier.Identity, hits Hits, rules ...string) Judgement {
	ginkgoHelper()
	return b.JudgeCrowdAbout(ctx, crowd, hits, oracle.Want{}, rules...)
}

// JudgeCrowdAbout is JudgeCrowd with what the case declares.
func (b *Bed) JudgeCrowdAbout(ctx context.Context, crowd []tier.Identity, hits Hits, want oracle.Want, rules ...string) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.question("", func(name string, _ attackPlan) bool {
		return slices.Contains(hits.attacks, name)
	}), func(q *oracle.Question) {
		q.Want, q.Subject.Fresh = want, true
		if len(crowd) > 0 {
			q.Subject.Limits = crowd[0].Limits
		}
	}, rules)
}

// FirstAdmitted is when the answer of the first admitted hit came, 0 if none was.
func (h Hits) FirstAdmitted() time.Duration {
	return h.admitted().FirstAnswered()
}

func (h Hits) admitted() Hits {
	return Hits{entries: slices.DeleteFunc(slices.Clone(h.entries), func(e evidence.Entry) bool { return e.Outcome != evidence.Admitted })}
}

// JudgeMisplaced asks the oracle about one more limiter that is started on a
// gRPC port that is taken.
func (b *Bed) JudgeMisplaced(ctx context.Context, rules ...string) Judgement {
	ginkgoHelper()
	starter, err := cluster.As[cluster.MisplacedStarter](b.run.system)
	if err != nil {
		b.NotJudged("provider %s starts no limiter besides its own: %v", b.run.session.Stack.Provider, err)
	}
	shown, err := starter.StartOnTakenPort(ctx, b.variant.Name)
	if errors.Is(err, errors.ErrUnsupported) {
		b.NotJudged("%v", err)
	}
	b.must(err)
	b.open(ctx)
	return b.ask(ctx, b.question("", func(string, attackPlan) bool { return false }), func(q *oracle.Question) {
		startup := evidence.Startup(shown)
		q.Startup = &startup
	}, rules)
}
