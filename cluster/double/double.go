// Package double is the local provider with the stand-ins in this process
// instead of in processes of their own: nothing has to be built or given, and a
// stack is up in milliseconds. It has no Prometheus. It is for tests of what
// stands on a provider; what it measures means nothing.
package double

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/local"
)

// Provider brings stand-ins up in this process.
type Provider struct{ local.Provider }

// New returns the provider "double".
func New() *Provider {
	return &Provider{local.Provider{
		Label:       "double",
		NewLauncher: func() local.Launcher { return goroutines{} },
	}}
}

// Up brings the stack up or leaves nothing behind. It refuses real programs.
func (p *Provider) Up(ctx context.Context, options cluster.Options) (cluster.System, error) {
	for _, component := range slices.Sorted(maps.Keys(options.Programs)) {
		if program := options.Programs[component]; program != "" && program != local.NoPrometheus {
			return nil, fmt.Errorf("provider %s runs stand-ins only: use provider local for %s %s", p.Name(), component, program)
		}
	}
	options.Programs = map[string]string{"prometheus": local.NoPrometheus}
	return p.Provider.Up(ctx, options)
}
