package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

const (
	// examPatience bounds one examination, and examTimeout one call of it.
	examPatience = 5 * time.Second
	examTimeout  = time.Second
	// moreInTurn and moreTogether are how many calls there are beyond the quota.
	moreInTurn   = 3
	moreTogether = 60
)

// examine asks the limiter directly, with what the policy demands for a caller with
// these limits, but under names that nobody else has: nothing of anybody's quota is
// spent. Once a case and set of limits will do.
func (b *Bed) examine(ctx context.Context, limits []tier.Limit) *evidence.Examination {
	asked := fmt.Sprintf("%s %#v", b.variant.Name, limits)
	s := b.run.spec
	if s.examinations[asked] == nil {
		examined, err := b.examination(ctx, limits)
		if err != nil {
			examined = &evidence.Examination{Missing: err.Error()}
		}
		s.examinations[asked] = examined
	}
	return s.examinations[asked]
}

func (b *Bed) examination(ctx context.Context, limits []tier.Limit) (*evidence.Examination, error) {
	if err := b.examinable(ctx, limits); err != nil {
		return nil, err
	}
	limiter, err := probe.DialLimiter(b.variant.LimiterGRPC)
	if err != nil {
		return nil, errors.New("the limiter's gRPC cannot be reached")
	}
	defer func() { _ = limiter.Close() }()
	bounded, cancel := context.WithTimeout(ctx, examPatience)
	defer cancel()
	binding, _ := tier.Binding(limits)
	e := &evidence.Examination{Limits: namesOf(limits), Quota: binding.Quota}
	var inTurn probe.Call
	if e.Caller, inTurn, err = b.examiner(limits); err != nil {
		return nil, err
	}
	crowd, together, err := b.examiner(limits)
	if err != nil {
		return nil, err
	}
	for range binding.Quota + moreInTurn {
		ask(bounded, limiter, inTurn, &e.InTurn)
	}
	e.Counters = about(b.counters(bounded), e.Caller).Counters
	askTogether(bounded, limiter, together, binding.Quota+moreTogether, &e.Together)
	e.Booked = b.booked(bounded, e.Caller, crowd)
	if bounded.Err() != nil {
		return nil, fmt.Errorf("the limiter took more than %s", examPatience)
	}
	return e, nil
}

// booked is what the one limiter's metrics have of some callers, nil if they cannot be
// read. The books of a case leave examiners out.
func (b *Bed) booked(ctx context.Context, callers ...string) *evidence.Calls {
	limiters, err := b.limiters(ctx)
	if err != nil || len(limiters) != 1 {
		return nil
	}
	tally, err := b.run.reader.Limiter(ctx, limiters[0], b.variant.UserLabel)
	if err != nil {
		return nil
	}
	var sum evidence.Calls
	for _, name := range callers {
		of := tally.Users[name]
		sum.Authorized, sum.Limited, sum.Hits = sum.Authorized+of.Authorized, sum.Limited+of.Limited, sum.Hits+of.Hits
	}
	return &sum
}

// examinable is why the limiter cannot be asked about such a caller without
// spending what is others', or without leaving traces in the books that nobody can
// tell from theirs.
func (b *Bed) examinable(ctx context.Context, limits []tier.Limit) error {
	user := b.set.UserExpression()
	binding, limited := tier.Binding(limits)
	switch {
	case b.variant.LimiterGRPC == "":
		return errors.New("the limiter's gRPC cannot be reached")
	case b.variant.UserLabel == "":
		return errors.New("the limiter's metrics name no caller")
	case !limited || binding.Quota < 1 || binding.Quota > maxQuota:
		return fmt.Errorf("no limit of 1 to %d hits applies", maxQuota)
	}
	for _, l := range limits {
		if l.Unit != tier.Hits || l.Policy != limits[0].Policy || l.Scope != limits[0].Scope || !slices.Equal(l.Counters, []string{user}) {
			return errors.New("its limits are not all of one policy, on hits, for each caller")
		}
	}
	if limiters, err := b.limiters(ctx); err != nil || len(limiters) != 1 {
		return errors.New("there is not exactly one limiter that can be reached")
	}
	return nil
}

// examiner is a caller whom nobody knows, and what is to be asked about it.
func (b *Bed) examiner(limits []tier.Limit) (name string, call probe.Call, err error) {
	name, _, err = b.newcomer()
	if err != nil {
		return "", call, err
	}
	b.run.spec.examiners[name] = true
	entries := map[string]string{b.set.UserExpression(): name}
	for _, l := range limits {
		entries[l.ID] = "1"
	}
	return name, probe.Call{Namespace: limits[0].Scope, Descriptors: []map[string]string{entries, {b.variant.UserLabel: name}}}, nil
}

func ask(ctx context.Context, limiter *probe.Limiter, call probe.Call, asked *evidence.Asked) {
	bounded, cancel := context.WithTimeout(ctx, examTimeout)
	defer cancel()
	admitted, err := limiter.Admits(bounded, call)
	asked.Calls++
	switch {
	case err != nil:
		asked.Failed++
	case admitted:
		asked.Admitted++
		if asked.Admitted+asked.Failed == asked.Calls {
			asked.Before++
		}
	}
}

func askTogether(ctx context.Context, limiter *probe.Limiter, call probe.Call, calls int64, asked *evidence.Asked) {
	var admitted, failed atomic.Int64
	var asking errgroup.Group
	for range calls {
		asking.Go(func() error {
			bounded, cancel := context.WithTimeout(ctx, examTimeout)
			defer cancel()
			switch yes, err := limiter.Admits(bounded, call); {
			case err != nil:
				failed.Add(1)
			case yes:
				admitted.Add(1)
			}
			return nil
		})
	}
	_ = asking.Wait()
	asked.Calls, asked.Admitted, asked.Failed = int(calls), int(admitted.Load()), int(failed.Load())
}

// about are the counters under a caller's name, or one that begins with it.
func about(book *evidence.CounterBook, name string) *evidence.CounterBook {
	own := &evidence.CounterBook{At: book.At, Missing: book.Missing}
	for _, c := range book.Counters {
		if slices.ContainsFunc(c.Values, func(value string) bool { return strings.HasPrefix(value, name) }) {
			own.Counters = append(own.Counters, c)
		}
	}
	return own
}
