// Package providertest is the contract that every provider passes: what comes
// up works, what is asked for is done, and nothing is left behind.
package providertest

import (
	"context"
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// Contract says how a provider is tried.
type Contract struct {
	// New makes a provider.
	New func(t *testing.T) cluster.Provider
	// Programs are Options.Programs of every stack.
	Programs map[string]string
	// Kill ends a component from outside; nil if that cannot be done, and then
	// deaths are not tried.
	Kill func(t *testing.T, component cluster.Component)
	// Gone reports what a component has left behind after Down, "" for
	// nothing; nil where there is nothing to look at.
	Gone func(component cluster.Component) string
	// Kubernetes are Options.Kubernetes of every stack.
	Kubernetes cluster.KubernetesOptions
	// Slow says that a stack takes minutes to come up: then one is, and what needs
	// a start of its own is left out.
	Slow bool
}

// Run tries a provider. Most of it shares one stack.
func Run(t *testing.T, c Contract) {
	t.Run("a stack that is up", c.serves)
	t.Run("options that cannot work are refused", c.refusesBadOptions)
	if c.Slow {
		return
	}
	t.Run("a stack that is disturbed", c.disturbs)
	t.Run("down leaves nothing behind", c.leavesNothing)
	t.Run("a component that is killed is reported", c.reportsDeaths)
	t.Run("an unknown fault fails the start", c.refusesUnknownFaults)
	t.Run("a fault is shown", c.showsFaults)
	t.Run("a port that is taken fails the start", c.refusesTakenPorts)
	t.Run("an interrupted start leaves nothing behind", c.survivesInterruption)
}

//go:embed testdata/policy
var policyFiles embed.FS

// PolicyDir writes a small policy to a folder of the test's: tier bronze with
// 3 hits per 10 minutes (ann), tier silver with 5 (ben), keys in the
// Authorization header.
func PolicyDir(t *testing.T) string {
	t.Helper()
	files, err := fs.Sub(policyFiles, "testdata/policy")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "policy")
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stand is a stack under test.
type stand struct {
	cluster.System
	provider cluster.Provider
	runDir   string
	set      *policy.Set
}

// options bring the small policy up.
func (c Contract) options(t *testing.T) cluster.Options {
	t.Helper()
	return cluster.Options{
		RunDir:   t.TempDir(),
		Variants: []cluster.VariantSpec{{Name: "policy", Dir: PolicyDir(t)}},
		Programs: c.Programs, Kubernetes: c.Kubernetes,
		Progress: t.Output(),
		Seed:     1,
	}
}

// up brings a stack up that goes down with the test.
func (c Contract) up(t *testing.T, options cluster.Options) *stand {
	t.Helper()
	provider := c.New(t)
	system, err := provider.Up(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := system.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("down: %v", err)
		}
	})
	set, err := policy.Read(options.Variants[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	return &stand{system, provider, options.RunDir, set}
}

// identity is one of the policy's own callers.
func (s *stand) identity(t *testing.T, name string) tier.Identity {
	t.Helper()
	all := s.set.Identities()
	i := slices.IndexFunc(all, func(i tier.Identity) bool { return i.Name == name })
	if i < 0 {
		t.Fatalf("the policy has no caller %s but %v", name, all)
	}
	return all[i]
}
