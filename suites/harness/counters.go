package harness

import (
	"context"
	"errors"
	"fmt"
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
	return b.ask(ctx, b.allOf(who), func(q *oracle.Question) {
		q.Counters = read
	}, rules)
}

// counters reads the live counters of every scope that the policy has or had.
// Limiters over one store all show the same; what others show is nobody's.
func (b *Bed) counters(ctx context.Context) *evidence.CounterBook {
	ctx, cancel := context.WithTimeout(ctx, bookPatience)
	defer cancel()
	limiters, err := b.limiters(ctx)
	if err == nil && len(limiters) == 0 {
		err = errors.New("the case needs a limiter whose HTTP API can be reached")
	}
	var shown []evidence.LiveCounter
	for i, base := range limiters {
		live, readErr := b.countersOn(ctx, base)
		if readErr != nil {
			err = readErr
			break
		}
		if i > 0 && !sameCounters(shown, live) {
			err = fmt.Errorf("the case needs limiters that share a store, and %s shows other counters than %s", base, limiters[0])
			break
		}
		shown = live
	}
	if err != nil {
		return &evidence.CounterBook{Missing: err.Error()}
	}
	return &evidence.CounterBook{At: time.Now(), Counters: shown}
}

// countersOn are what one limiter shows.
func (b *Bed) countersOn(ctx context.Context, base string) ([]evidence.LiveCounter, error) {
	var live []evidence.LiveCounter
	for _, scope := range b.scopes() {
		counters, err := b.run.reader.Counters(ctx, base, scope)
		if err != nil {
			return nil, err
		}
		for _, c := range counters {
			live = append(live, evidence.LiveCounter{
				Limit: evidence.LimitInForce(c.Limit), Values: slices.Sorted(maps.Values(c.SetVariables)),
				Remaining: c.Remaining, ExpiresIn: c.ExpiresIn,
			})
		}
	}
	return live, nil
}

// sameCounters tells whether two limiters show the same, in whatever order. The
// rest of a window may be a second less by the time the second one is read.
func sameCounters(a, b []evidence.LiveCounter) bool {
	keys := func(counters []evidence.LiveCounter) []string {
		list := make([]string, len(counters))
		for i, c := range counters {
			c.ExpiresIn = 0
			list[i] = fmt.Sprintf("%#v", c)
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(keys(a), keys(b))
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
	return b.ask(ctx, b.question("", hits.fired()), func(q *oracle.Question) {
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
