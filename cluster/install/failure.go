package install

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

const nextAfterFailure = "floodgate status shows every step, floodgate up goes on from here, floodgate down takes everything back"

// blame makes the error of a step of what the API server or a chart answered.
func (s *carrying) blame(ctx context.Context, waiting string, err error) error {
	if waiting != "" {
		waiting += " to be accepted"
	}
	return &cluster.StartError{
		Component: s.step.Name, Waiting: waiting, Next: nextAfterFailure, Cause: interrupted(ctx, err),
	}
}

// interrupted puts why the time ended before what was seen last.
func interrupted(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// ready waits until the step's conditions hold, in order, and for as long as
// the cluster gives no reason to give up.
func (s *carrying) ready(ctx context.Context) error {
	watch := &troubleWatch{carrying: s, first: map[string]time.Time{}}
	looked := time.Now()
	var missing Condition
	var final error
	err := kube.Until(ctx, interval, func(ctx context.Context) error {
		var err error
		missing, err = s.missing(ctx)
		if err == nil {
			return nil
		}
		if errors.Is(err, kube.ErrFinal) {
			final = err
			return nil
		}
		if time.Since(looked) >= lookEvery {
			looked = time.Now()
			if trouble := watch.terminal(ctx); trouble != nil {
				final = err
				return nil
			}
		}
		return err
	})
	if final != nil {
		err = final
	}
	if err == nil {
		return nil
	}
	// The step's time is over; the question why is not.
	lookCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	troubles := watch.look(lookCtx)
	start := &cluster.StartError{Component: s.step.Name, Waiting: missing.What, Next: nextAfterFailure, Cause: err}
	if len(troubles) == 0 {
		return start
	}
	start.Log, start.Command = troubles[0].Log, troubles[0].Look
	cause := errors.New(describe(troubles))
	if final != nil && !errors.Is(final, kube.ErrFinal) {
		start.Cause = cause
	} else {
		start.Cause = fmt.Errorf("%w; %w", cause, err)
	}
	return start
}

// missing is the first condition that does not hold.
func (s *carrying) missing(ctx context.Context) (Condition, error) {
	for _, condition := range s.step.Ready {
		if err := condition.Check(ctx, s.Cluster); err != nil {
			return condition, err
		}
	}
	return Condition{}, nil
}

// mostTroubles are shown; more are counted.
const mostTroubles = 3

func describe(troubles []kube.Trouble) string {
	var parts []string
	for _, trouble := range troubles[:min(len(troubles), mostTroubles)] {
		parts = append(parts, trouble.String())
	}
	text := strings.Join(parts, "; ")
	if more := len(troubles) - mostTroubles; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// troubleWatch looks at the pods that a step is about.
type troubleWatch struct {
	*carrying
	// first is when a trouble was seen first.
	first map[string]time.Time
}

// look returns the troubles of the step's scopes. What cannot be read is left
// out: the step has a reason to fail already.
func (w *troubleWatch) look(ctx context.Context) []kube.Trouble {
	var terminal, other []kube.Trouble
	seen := map[string]bool{}
	for _, scope := range w.step.scopes() {
		troubles, err := w.Cluster.Troubles(ctx, scope.Namespace, scope.Selector)
		if err != nil {
			continue
		}
		for _, trouble := range troubles {
			key := trouble.Object + trouble.Reason
			// What was broken before the installation is not its doing.
			before := scope.Selector == "" && trouble.Created.Before(w.book.state.Started.Add(-time.Second))
			if seen[key] || before {
				continue
			}
			seen[key] = true
			if trouble.Terminal {
				terminal = append(terminal, trouble)
			} else {
				other = append(other, trouble)
			}
		}
	}
	return append(terminal, other...)
}

// terminal is a trouble that ends the wait: seen for long enough.
func (w *troubleWatch) terminal(ctx context.Context) *kube.Trouble {
	now := time.Now()
	current := map[string]time.Time{}
	var ends *kube.Trouble
	for _, trouble := range w.look(ctx) {
		if !trouble.Terminal {
			continue
		}
		// The reason goes back and forth, as ErrImagePull and ImagePullBackOff do.
		key := trouble.Object
		since, known := w.first[key]
		if !known {
			since = now
		}
		current[key] = since
		if ends == nil && now.Sub(since) >= troubleHold {
			ends = &trouble
		}
	}
	w.first = current
	return ends
}
