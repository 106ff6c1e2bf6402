package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/cluster"
)

// stopGrace is how long a limiter that was told to stop may go on: without an
// open connection to its HTTP API the real one ends after 0.3 s (sut.md 2.9).
const stopGrace = 1500 * time.Millisecond

// StopLimiter tells the limiter of the bed's variant to stop, and returns when
// it should be gone. It is started anew when the spec ends.
func (b *Bed) StopLimiter(ctx context.Context) {
	ginkgoHelper()
	stopper, stops := cluster.As[cluster.Stopper](b.run.system)
	restarter, starts := cluster.As[cluster.Restarter](b.run.system)
	if why := errors.Join(stops, starts); why != nil {
		b.NotJudged("provider %s stops no components: %v", b.run.session.Stack.Provider, why)
	}
	component := "limitador"
	if b.variant.Name != Policy {
		component += "@" + b.variant.Name
	}
	b.run.reader.Close()
	b.must(stopper.Stop(ctx, component))
	ginkgo.DeferCleanup(func(ctx context.Context) error {
		if err := restarter.Restart(ctx, component); err != nil {
			return fmt.Errorf("start %s anew: %w", component, err)
		}
		return nil
	})
	b.Wait(ctx, b.run.spec.ledger.Since()+stopGrace, "the end of the limiter")
}
