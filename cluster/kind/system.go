package kind

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/floodgate-dev/floodgate/cluster"
)

// system is a stack on a kind cluster.
type system struct {
	cluster.System

	provider *Provider
	cluster  *Cluster
	guard    *guard
	runDir   string
	keep     bool
	once     sync.Once
	err      error
}

// Down takes back what was installed, deletes the cluster if it was made here
// and is not to be kept, and removes its kubeconfig.
func (s *system) Down(ctx context.Context) error {
	s.once.Do(func() {
		s.err = s.System.Down(ctx)
		if s.keep {
			return
		}
		if s.cluster.Made() {
			s.err = errors.Join(s.err, s.provider.remove(ctx, s.cluster, s.runDir))
		} else {
			s.err = errors.Join(s.err, os.RemoveAll(s.cluster.kubeconfig))
		}
		s.guard.spareIfThere()
	})
	return s.err
}

// Unwrap is the system in the cluster, which has the capabilities.
func (s *system) Unwrap() cluster.System { return s.System }
