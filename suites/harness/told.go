package harness

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// Told is the number of seconds that a header of the last kept answer tells, and
// when its hit was sent and answered; all is 0 without such an answer.
func (h Hits) Told(name string) (sent, answered, told time.Duration) {
	for _, entry := range slices.Backward(h.entries) {
		if entry.Answer == nil {
			continue
		}
		for have, values := range entry.Answer.Header {
			if !strings.EqualFold(have, name) || len(values) != 1 {
				continue
			}
			if seconds, err := strconv.ParseInt(values[0], 10, 32); err == nil && seconds >= 0 {
				return entry.Sent, entry.Received, time.Duration(seconds) * time.Second
			}
		}
	}
	return 0, 0, 0
}

// WaitForTurn holds the spec until so long before the wall clock shows a whole
// number of windows, such as a full minute.
func (b *Bed) WaitForTurn(ctx context.Context, window, before time.Duration) {
	ginkgoHelper()
	now := time.Now()
	turn := now.Truncate(window).Add(window - before)
	if turn.Before(now) {
		turn = turn.Add(window)
	}
	b.Wait(ctx, b.run.spec.ledger.Since()+turn.Sub(now), "the turn of the clock")
}

// LimitNamed is a limit of a name that applies to an identity's request, which
// is the policy's own but for what change does to it. ok is false where none
// does.
func (b *Bed) LimitNamed(name string, who tier.Identity, change func(*policy.Request)) (limit tier.Limit, ok bool) {
	request := b.set.Request()
	change(&request)
	limits, err := b.set.LimitsFor(who, request)
	if err != nil || !b.set.Routed(request) {
		return limit, false
	}
	i := slices.IndexFunc(limits, func(l tier.Limit) bool { return l.Name == name })
	if i < 0 {
		return limit, false
	}
	return limits[i], true
}
