package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// System is a system under test on a cluster.
type System struct {
	cluster  *kube.Cluster
	reader   *metrics.Reader
	dir      string
	state    state
	up       cluster.Stack
	changes  *changes
	progress *say

	limiters, authorizers *podForwards

	mu sync.Mutex
	// gateways are by variant; sets are the policies that were put last, or that
	// the variants came with.
	gateways map[string]*podForwards
	sets     map[string]*policy.Set

	// What only the process that opened the system has.
	opener bool
	// forwards are those whose addresses are in the Stack.
	forwards []io.Closer
	died     chan cluster.Death
	stop     context.CancelFunc
	watching sync.WaitGroup
	down     sync.Once
	downErr  error
}

var (
	_ cluster.System           = (*System)(nil)
	_ cluster.IdentityIssuer   = (*System)(nil)
	_ cluster.SecretEditor     = (*System)(nil)
	_ cluster.PolicyEditor     = (*System)(nil)
	_ cluster.PolicyPutter     = (*System)(nil)
	_ cluster.PolicyObserver   = (*System)(nil)
	_ cluster.Restarter        = (*System)(nil)
	_ cluster.Stopper          = (*System)(nil)
	_ cluster.Killer           = (*System)(nil)
	_ cluster.Scaler           = (*System)(nil)
	_ cluster.Interferer       = (*System)(nil)
	_ cluster.LimiterLister    = (*System)(nil)
	_ cluster.GatewayLister    = (*System)(nil)
	_ cluster.InstanceLister   = (*System)(nil)
	_ cluster.WorkerStarter    = (*System)(nil)
	_ cluster.Diagnoser        = (*System)(nil)
	_ cluster.Restricted       = (*System)(nil)
	_ cluster.CapabilityTeller = (*System)(nil)
)

func newSystem(c *kube.Cluster, dir string, st state, progress io.Writer) *System {
	s := &System{
		cluster: c, reader: metrics.NewReader(nil), dir: dir, state: st, progress: &say{out: progress},
		changes:  &changes{c, filepath.Join(dir, changesFolder)},
		gateways: map[string]*podForwards{}, sets: map[string]*policy.Set{},
		died: make(chan cluster.Death, deathsKept),
	}
	if st.Site.Limiter != nil {
		s.limiters = newPodForwards(c, *st.Site.Limiter)
	}
	if st.Site.Authorizer != nil {
		s.authorizers = newPodForwards(c, *st.Site.Authorizer)
	}
	return s
}

// deathsKept bounds how many deaths wait to be heard of.
const deathsKept = 16

// Attach finds the system that another process has opened, with the kubeconfig
// that it keeps. Down of what it returns leaves the system up.
func Attach(_ context.Context, stack cluster.Stack) (cluster.System, error) {
	st, err := readState(stack.State)
	if err != nil {
		return nil, fmt.Errorf("attach: the stack is down, its private folder is gone: %w", err)
	}
	if st.Provider != stack.Provider {
		return nil, fmt.Errorf("attach: the stack is provider %q's, its private folder %q's", stack.Provider, st.Provider)
	}
	c, err := kube.Connect(filepath.Join(stack.State, kubeconfigFile), "")
	if err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	s := newSystem(c, stack.State, st, io.Discard)
	s.up = stack
	return s, nil
}

// Stack says what is up and where.
func (s *System) Stack() cluster.Stack { return s.up }

// Died delivers containers of components that ended by themselves. Pods that
// somebody deleted did not. Only the process that opened the system hears.
func (s *System) Died() <-chan cluster.Death { return s.died }

// Down takes back what the run changed in the cluster and removes the private
// folder; in a process that is attached it ends only what that opened.
func (s *System) Down(ctx context.Context) error {
	s.down.Do(func() { s.downErr = s.end(ctx) })
	return s.downErr
}

func (s *System) end(ctx context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.watching.Wait()
	close(s.died)
	s.reader.Close()
	var errs []error
	if s.opener {
		errs = append(errs, s.changes.undo(ctx))
	}
	for _, f := range []*podForwards{s.limiters, s.authorizers} {
		if f != nil {
			errs = append(errs, f.close())
		}
	}
	s.mu.Lock()
	for _, f := range s.gateways {
		errs = append(errs, f.close())
	}
	s.mu.Unlock()
	for _, f := range s.forwards {
		errs = append(errs, f.Close())
	}
	err := errors.Join(errs...)
	// What could not be taken back is still in the folder's notes.
	if s.opener && err == nil {
		if removal := os.RemoveAll(s.dir); removal != nil {
			err = fmt.Errorf("remove the private folder: %w", removal)
		}
	}
	return err
}

// variant finds a variant of the stack.
func (s *System) variant(name string) (cluster.Variant, error) {
	v, ok := s.up.Variants[name]
	if !ok {
		return v, fmt.Errorf("variant %q: there is none of that name in the stack", name)
	}
	return v, nil
}

// set is the policy that a variant has, as far as this process knows.
func (s *System) set(v cluster.Variant) (*policy.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set, ok := s.sets[v.Name]; ok {
		return set, nil
	}
	set, err := policy.Read(v.Dir)
	if err != nil {
		return nil, err
	}
	s.sets[v.Name] = set
	return set, nil
}

// say writes one line at a time for people.
type say struct {
	mu  sync.Mutex
	out io.Writer
}

func (s *say) line(format string, args ...any) {
	if s.out == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Progress is for people: nothing stops for it.
	_, _ = fmt.Fprintf(s.out, format+"\n", args...)
}
