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
	before, err := a.reader.Gateway(ctx, v.GatewayStats)
	if err != nil {
		return err
	}
	if err := writeAtomically(files.wasmConfig(), config); err != nil {
		return fmt.Errorf("push a configuration to %s: %w", variant, err)
	}
	return a.await(ctx, gatewayComponent, v.Name, func(ctx context.Context) error {
		now, err := a.reader.Gateway(ctx, v.GatewayStats)
		if err == nil && now.Configs == before.Configs {
			err = fmt.Errorf("the gateway has taken no notice of it: kuadrant_configs is still %d", now.Configs)
		}
		return err
	})
}
