package harness

import (
	"context"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/attack/crew"
)

// workerRow is what a worker did in an attack.
type workerRow = reports.Worker

// Workers say where the workers of a run are.
type Workers struct {
	// URLs are the workers' base URLs by their index.
	URLs []string `json:"urls"`
	// TokenFile holds what they know us by. It is in a private folder; the token
	// itself never stands in the run's.
	TokenFile string `json:"tokenFile"`
	// Inside is true if they are in the system's own network, where gateways are
	// found at cluster.Variant.GatewayInside.
	Inside bool `json:"inside,omitempty"`
}

// crew are the workers, nil if there are none.
func (w *Workers) crew() (*crew.Crew, error) {
	if w == nil || len(w.URLs) == 0 {
		return nil, nil
	}
	token, err := crew.ReadToken(w.TokenFile)
	if err != nil {
		return nil, err
	}
	return crew.New(w.URLs, token), nil
}

// carryOut has the run's workers fire an attack, or this process where there
// are none, or where they cannot: an attack through a transport of this
// process, or at something else than the gateway, which workers inside of the
// system's network do not find at the address that we have.
func (b *Bed) carryOut(ctx context.Context, a attack.Attack, progress func(done int)) (attack.Report, []workerRow, error) {
	workers := b.run.crew
	if a.Transport != nil || a.Line != nil || len(a.Also) > 0 {
		workers = nil
	}
	if workers != nil && b.run.session.Workers.Inside {
		if b.variant.GatewayInside != "" && a.Target.URL == b.variant.Gateway {
			a.Target.URL = b.variant.GatewayInside
		} else {
			workers = nil
		}
	}
	if workers == nil {
		report, err := attack.Fire(ctx, a, b.run.spec.ledger, progress)
		return report, nil, err
	}
	return workers.Fire(ctx, a, b.run.spec.ledger, progress)
}
