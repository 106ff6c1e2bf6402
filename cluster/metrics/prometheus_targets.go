package metrics

import (
	"context"
	"fmt"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// TargetState is what Prometheus says of one wanted instance.
type TargetState struct {
	Instance string
	// Listed is true if it is among the active targets.
	Listed bool
	// Down is why its last scrape failed, "" if it did not.
	Down string
}

// Targets are the states of the wanted instances, in order.
func (p *Prometheus) Targets(ctx context.Context) ([]TargetState, error) {
	listed, err := p.api.Targets(ctx)
	if err != nil {
		return nil, fmt.Errorf("prometheus at %s: list targets: %w", p.address, err)
	}
	states := make([]TargetState, 0, len(p.instances))
	for _, instance := range p.instances {
		states = append(states, stateOf(instance, listed.Active))
	}
	return states, nil
}

// stateOf is an instance's state: several jobs may scrape it, and one that does
// so well is enough.
func stateOf(instance string, active []promv1.ActiveTarget) TargetState {
	state := TargetState{Instance: instance}
	for _, t := range active {
		if string(t.Labels[model.InstanceLabel]) != instance {
			continue
		}
		down := ""
		if t.Health != promv1.HealthGood {
			down = fmt.Sprintf("%s: %s", t.Health, t.LastError)
		}
		if !state.Listed || down == "" {
			state.Down = down
		}
		state.Listed = true
	}
	return state
}
