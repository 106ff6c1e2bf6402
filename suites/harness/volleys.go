package harness

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/floodgate-dev/floodgate/suites/attack"
)

// Volley is an attack that leaves a while after the last answer to the one before
// it in its strand.
type Volley struct {
	After  time.Duration
	Attack attack.Attack
}

// FireStrands fires strands side by side, the volleys of each one after the other,
// and returns when all their hits are answered and written down. What attacks
// leave open is filled in as Fire does.
func (b *Bed) FireStrands(ctx context.Context, strands ...[]Volley) Hits {
	ginkgoHelper()
	s := b.run.spec
	b.open(ctx)
	clear(s.after)
	var hits Hits
	for _, strand := range strands {
		for i := range strand {
			a := &strand[i].Attack
			b.complete(ctx, a)
			b.planned(*a, 0)
			hits.attacks = append(hits.attacks, a.Name)
		}
	}
	lags := make([][]time.Duration, len(strands))
	group, ctx := errgroup.WithContext(ctx)
	for n, strand := range strands {
		lags[n] = make([]time.Duration, len(strand))
		group.Go(func() error {
			for i, v := range strand {
				if err := pause(ctx, v.After); err != nil {
					return err
				}
				report, _, err := b.carryOut(ctx, v.Attack, b.teller(v.Attack))
				if err != nil {
					return err
				}
				lags[n][i] = report.LagP99
			}
			return nil
		})
	}
	err := group.Wait()
	s.last = time.Now()
	for n, strand := range strands {
		for i, v := range strand {
			b.planned(v.Attack, lags[n][i])
		}
	}
	b.must(err)
	hits.entries, err = b.entriesOf(hits.attacks)
	b.must(err)
	return hits
}

// pause returns after so long, or when there is nothing more to wait for.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
