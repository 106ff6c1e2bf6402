package harness

import (
	"context"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Totals adds up what every book says of the whole run, over all variants of
// the stack. A book that one variant lacks is no total at all.
func Totals(ctx context.Context, runDir string, system cluster.System) (reports.Books, error) {
	session, err := ReadSession(runDir)
	if err != nil {
		return reports.Books{}, err
	}
	bed, err := NewBed(runDir, session, system)
	if err != nil {
		return reports.Books{}, err
	}
	defer bed.run.events.close()
	defer bed.run.reader.Close()
	total := reports.Books{
		Limiter: &evidence.Calls{}, Gateway: &evidence.GatewayBook{}, Prometheus: &evidence.Calls{}, Backend: new(int64),
	}
	for name := range session.Stack.Variants {
		variant, err := bed.on(name)
		if err != nil {
			return reports.Books{}, err
		}
		add(&total, variant.snapshot(ctx, nil, time.Now()))
	}
	return total, nil
}

func add(total *reports.Books, snapshot evidence.Snapshot) {
	total.Limiter = sumCalls(total.Limiter, snapshot.Limiter)
	total.Prometheus = sumCalls(total.Prometheus, snapshot.Prometheus)
	if snapshot.Gateway == nil {
		total.Gateway = nil
	} else if g := total.Gateway; g != nil {
		g.Hits += snapshot.Gateway.Hits
		g.Misses += snapshot.Gateway.Misses
		g.Allowed += snapshot.Gateway.Allowed
		g.Denied += snapshot.Gateway.Denied
		g.Errors += snapshot.Gateway.Errors
	}
	// Every variant stands before the same model server.
	if snapshot.Backend == nil {
		total.Backend = nil
	} else if total.Backend != nil {
		*total.Backend = snapshot.Backend.Served
	}
}

func sumCalls(total *evidence.Calls, book *evidence.LimiterBook) *evidence.Calls {
	if total == nil || book == nil {
		return nil
	}
	return &evidence.Calls{
		Authorized: total.Authorized + book.Total.Authorized,
		Limited:    total.Limited + book.Total.Limited,
		Hits:       total.Hits + book.Total.Hits,
	}
}
