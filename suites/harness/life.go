package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/policy/wasmconfig"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// PutUnreadable is PutPolicy for a policy whose limits no limiter can read: what
// is watched is each limiter's status, until it tells of a refusal.
func (b *Bed) PutUnreadable(edited *policy.Set, why error, edit *oracle.Edit) Change {
	ginkgoHelper()
	if why != nil {
		b.NotJudged("the policy cannot be edited for this case: %v", why)
	}
	put := b.putter()
	clock := b.run.spec.ledger.Since
	ginkgo.DeferCleanup(b.putBack)
	return func(ctx context.Context) error {
		limiters, err := b.limitersNow(ctx)
		if err != nil {
			return err
		}
		edit.Asked = clock()
		if err := put(ctx, b.variant.Name, edited); err != nil {
			return fmt.Errorf("put the policy of %s: %w", b.variant.Name, err)
		}
		edit.Put, edit.Refused = clock(), make([]int64, len(limiters))
		tick := time.NewTicker(settlePoll)
		defer tick.Stop()
		for {
			for i, base := range limiters {
				// One that does not answer now may tell later.
				if status, err := b.run.reader.Status(ctx, base); err == nil {
					edit.Refused[i] = max(edit.Refused[i], status.ConfigErrors)
				}
			}
			edit.Watched = clock()
			if !slices.Contains(edit.Refused, 0) || edit.Watched > edit.Put+edit.Budget {
				return nil
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return fmt.Errorf("watch the limiters of %s: %w", b.variant.Name, context.Cause(ctx))
			}
		}
	}
}

// PushFilterConfig is a change that puts any text before this bed's gateway as
// its filter's configuration. The bed's own is put back when the spec ends.
func (b *Bed) PushFilterConfig(config string) Change {
	ginkgoHelper()
	pusher, err := cluster.As[cluster.FilterConfigPusher](b.run.system)
	if err != nil {
		b.NotJudged("provider %s gives no access to the filter's configuration: %v", b.run.session.Stack.Provider, err)
	}
	ginkgo.DeferCleanup(b.putBack)
	return func(ctx context.Context) error { return pusher.PushFilterConfig(ctx, b.variant.Name, []byte(config)) }
}

// AskForNoLimits is a change that has this bed's gateway call the limiter without a
// domain, the rest of its filter's configuration being the policy's.
func (b *Bed) AskForNoLimits() Change {
	ginkgoHelper()
	services := b.Services()
	config, ok := b.set.WasmConfigs()[b.set.Request().Gateway]
	if !ok {
		b.NotJudged("the policy's gateway has no filter configuration")
	}
	for name, service := range config.Services {
		timeout := services.LimiterTimeout
		service.FailureMode = services.LimiterFailureMode
		if service.Type == wasmconfig.TypeAuth {
			timeout, service.FailureMode = services.AuthorizerTimeout, services.AuthorizerFailureMode
		}
		service.Timeout = timeout.String()
		config.Services[name] = service
	}
	text, err := json.Marshal(wasmconfig.WithoutDomain(config))
	b.must(err)
	return b.PushFilterConfig(string(text))
}

// Alternate is a change that puts the bed's policy and another in force by
// turns, so many times, and waits each time until the limiters show it.
func (b *Bed) Alternate(other *policy.Set, why error, times int) Change {
	ginkgoHelper()
	if why != nil {
		b.NotJudged("the policy cannot be edited for this case: %v", why)
	}
	put := b.putter()
	ginkgo.DeferCleanup(b.putBack)
	return func(ctx context.Context) error {
		for n := range times {
			next := &Bed{run: b.run, variant: b.variant, set: other}
			if n%2 == 1 {
				next = b
			}
			if err := put(ctx, b.variant.Name, next.set); err != nil {
				return fmt.Errorf("put the policy of %s: %w", b.variant.Name, err)
			}
			next.shown(ctx)
		}
		return nil
	}
}
