package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// timedCalls is how many calls are timed, fewer where they take longer than
	// timedPatience in all, but fewestTimed at least. One is waited for as long as
	// timedTimeout.
	timedCalls    = 41
	fewestTimed   = 5
	timedPatience = 3 * time.Second
	timedTimeout  = 2 * time.Second
	// withdrawPatience is how long an authorizer may take to forget a key.
	withdrawPatience = 10 * time.Second
)

// TimeAuthorizer asks the authorizer directly who a caller is, and times it. keys is
// how many the case has added. Where the authorizer cannot be reached nothing is
// timed.
func (b *Bed) TimeAuthorizer(ctx context.Context, who tier.Identity, keys int) []evidence.AnswerTimes {
	ginkgoHelper()
	if b.variant.Authorizer == "" {
		return nil
	}
	host, ok := b.set.AuthHost(b.set.Request())
	if !ok {
		return nil
	}
	authorizer, err := probe.DialAuthorizer(b.variant.Authorizer)
	b.must(err)
	defer func() { _ = authorizer.Close() }()
	times := evidence.AnswerTimes{Keys: keys}
	shown := probe.ShownBy(who, b.set.Request())
	// The first one opens the connection.
	_, _ = b.timed(ctx, authorizer, host, shown)
	var took []time.Duration
	for began := time.Now(); len(took) < timedCalls && (len(took) < fewestTimed || time.Since(began) < timedPatience); {
		length, err := b.timed(ctx, authorizer, host, shown)
		b.must(ctx.Err())
		took = append(took, length)
		if err != nil {
			times.Failed++
		}
	}
	slices.Sort(took)
	times.Calls, times.Median = len(took), took[(len(took)-1)/2]
	return []evidence.AnswerTimes{times}
}

// timed is how long one answer took. A timeout is no error.
func (b *Bed) timed(ctx context.Context, authorizer *probe.Authorizer, host string, shown probe.Shown) (time.Duration, error) {
	bounded, cancel := context.WithTimeout(ctx, timedTimeout)
	defer cancel()
	began := time.Now()
	_, err := authorizer.Ask(bounded, host, shown)
	if status.Code(err) == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return time.Since(began), err
}

// withdraw deletes the keys of callers, and returns once the authorizer does not know
// the last of them any more, or has been waited for long enough.
func (b *Bed) withdraw(ctx context.Context, callers []tier.Identity) error {
	editor, err := cluster.As[cluster.SecretEditor](b.run.system)
	if err != nil {
		return err
	}
	for _, caller := range callers {
		secret, err := b.set.Reissue(caller, true)
		if err == nil {
			err = editor.DeleteSecret(ctx, b.variant.Name, secret)
		}
		if err != nil {
			return fmt.Errorf("take the key of %s away: %w", caller, err)
		}
	}
	bounded, cancel := context.WithTimeout(ctx, withdrawPatience)
	defer cancel()
	// What is known for longer is timed as it is: it can only look as dear as before.
	_ = probe.Until(bounded, func(ctx context.Context) error {
		if probe.KeyKnown(ctx, b.variant.Authorizer, b.set, callers[len(callers)-1]) == nil {
			return errors.New("the key is known still")
		}
		return nil
	})
	return nil
}

// JudgeAnswerTimes takes the keys of callers away, times the authorizer once more
// about who is left, and asks the oracle about all times that were taken of it. It
// does nothing where none could be, or where keys cannot be taken away.
func (b *Bed) JudgeAnswerTimes(ctx context.Context, left tier.Identity, gone []tier.Identity, times []evidence.AnswerTimes, rules ...string) Judgement {
	ginkgoHelper()
	if len(times) == 0 || len(gone) == 0 {
		return nil
	}
	switch err := b.withdraw(ctx, gone); {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		b.must(err)
	}
	times = append(times, b.TimeAuthorizer(ctx, left, 0)...)
	return b.ask(ctx, b.question("", func(string, attackPlan) bool { return false }), func(q *oracle.Question) { q.AnswerTimes = times }, rules)
}
