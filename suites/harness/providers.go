package harness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/cluster/existing"
	"github.com/floodgate-dev/floodgate/cluster/kind"
	"github.com/floodgate-dev/floodgate/cluster/local"
)

// providers are all ways to a system under test: a package and a line each.
func providers() map[string]cluster.Provider {
	all := map[string]cluster.Provider{}
	for _, provider := range []cluster.Provider{
		&local.Provider{},
		&kind.Provider{},
		&existing.Provider{},
		double.New(),
	} {
		all[provider.Name()] = provider
	}
	return all
}

// Provider finds a provider by name.
func Provider(name string) (cluster.Provider, error) {
	all := providers()
	provider, ok := all[name]
	if !ok {
		return nil, fmt.Errorf("provider %q is unknown: want one of %s", name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	return provider, nil
}

// Attach finds the system of a stack that another process brought up.
func Attach(ctx context.Context, stack cluster.Stack) (cluster.System, error) {
	provider, err := Provider(stack.Provider)
	if err != nil {
		return nil, err
	}
	return provider.Attach(ctx, stack)
}
