package local

import (
	"context"
	"fmt"

	"github.com/floodgate-dev/floodgate/cluster"
)

var _ cluster.FilterConfigPusher = (*attached)(nil)

// PushFilterConfig replaces the file of a variant's filter configuration. The
// filter counts configurations that it takes and those that it rejects alike.
func (a *attached) PushFilterConfig(ctx context.Context, variant string, config []byte) error {
	v, files, err := a.variant(variant)
	if err != nil {
		return err
	}
	before, err := a.configurations(ctx, v.Name)
	if err != nil {
		return err
	}
	if err := writeAtomically(files.wasmConfig(), config); err != nil {
		return fmt.Errorf("push a configuration to %s: %w", variant, err)
	}
	return a.await(ctx, gatewayComponent, v.Name, func(ctx context.Context) error {
		return a.noticed(ctx, v.Name, before)
	})
}

// configurations are how many each gateway of a variant has been given, by the
// URL of its counters.
func (a *attached) configurations(ctx context.Context, variant string) (map[string]int64, error) {
	gateways, err := a.GatewayStats(ctx, variant)
	if err != nil {
		return nil, err
	}
	given := map[string]int64{}
	for _, address := range gateways {
		counters, err := a.reader.Gateway(ctx, address)
		if err != nil {
			return nil, err
		}
		given[address] = counters.Configs
	}
	return given, nil
}

// noticed is nil once every gateway has been given one more.
func (a *attached) noticed(ctx context.Context, variant string, before map[string]int64) error {
	now, err := a.configurations(ctx, variant)
	for address, given := range now {
		if was, there := before[address]; there && given == was {
			return fmt.Errorf("the gateway at %s has taken no notice of it: kuadrant_configs is still %d", address, given)
		}
	}
	return err
}
