package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/interference"
)

// stack holds what was started, in order, and ends it.
type stack struct {
	launcher   Launcher
	executable string
	ports      *allocator
	// logs is the folder of the components' logs, state the private one, whose
	// keys no text may show.
	logs, state string
	progress    io.Writer

	mu      sync.Mutex
	started []*running
	// proxies are by the component that they stand before.
	proxies map[string]*interference.Proxy
	// scalable are by the component that can have replicas.
	scalable  map[string]*replicaSet
	balancers []*balancer
	// wanted is true for components that must not end.
	wanted map[*running]bool
	closed bool
	// deaths has room for every component that can be started.
	deaths   chan cluster.Death
	watchers sync.WaitGroup
}

// deathRoom is how many deaths wait to be read; more are dropped.
const deathRoom = 64

// portPause is how long a port that somebody else has is left alone.
const portPause = 250 * time.Millisecond

func newStack(launcher Launcher, executable string, ports *allocator, logs, state string, progress io.Writer) *stack {
	return &stack{
		launcher: launcher, executable: executable, ports: ports, logs: logs, state: state, progress: progress,
		wanted: map[*running]bool{}, proxies: map[string]*interference.Proxy{}, scalable: map[string]*replicaSet{}, deaths: make(chan cluster.Death, deathRoom),
	}
}

// tail is the end of a log as it may leave the provider.
func (s *stack) tail(path string) string {
	secrets, err := redactorOf(s.state)
	if err != nil {
		return fmt.Sprintf("not shown, because it may hold keys: %v", err)
	}
	return logTail(path, secrets)
}

// say writes a line of progress.
func (s *stack) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.progress != nil {
		_, _ = fmt.Fprintf(s.progress, format+"\n", args...)
	}
}

// up starts a part and from then on reports its death.
func (s *stack) up(ctx context.Context, p part) (*running, error) {
	r, err := s.start(ctx, p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.started = append(s.started, r)
	s.mu.Unlock()
	s.watch(r)
	return r, nil
}

func (s *stack) watch(r *running) {
	s.mu.Lock()
	s.wanted[r] = true
	s.mu.Unlock()
	s.watchers.Go(func() {
		<-r.process.Done()
		death := cluster.Death{Component: r.part.name, Cause: ended(r.process), Log: s.tail(r.logPath)}
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.wanted[r] {
			return
		}
		select {
		case s.deaths <- death:
		default:
		}
	})
}

// restart ends a component and starts it again with the same ports.
func (s *stack) restart(ctx context.Context, component string) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.started, func(r *running) bool { return r.part.name == component })
	if i < 0 || s.closed {
		s.mu.Unlock()
		return fmt.Errorf("restart %s: no such component is up", component)
	}
	r := s.started[i]
	s.wanted[r] = false
	s.mu.Unlock()

	if err := end(ctx, r.process, r.part.stop); err != nil {
		return fmt.Errorf("restart %s: %w", component, err)
	}
	again, err := s.relaunch(ctx, r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.started[i] = again
	s.mu.Unlock()
	s.watch(again)
	return nil
}

// relaunch starts a component on the ports that it had. Meanwhile the kernel may
// have given one of them to somebody's connection, which is waited for.
func (s *stack) relaunch(ctx context.Context, r *running) (again *running, err error) {
	bounded, cancel := context.WithTimeoutCause(ctx, startPatience, errPortTaken)
	defer cancel()
	tick := time.NewTicker(portPause)
	defer tick.Stop()
	for {
		if again, err = s.launch(bounded, r.part, r.ports); !errors.Is(err, errPortTaken) {
			return again, err
		}
		select {
		case <-tick.C:
		case <-bounded.Done():
			return nil, err
		}
	}
}

// tellToStop sends a component SIGTERM and does not wait: its end is no death.
func (s *stack) tellToStop(component string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.running(component)
	if err != nil {
		return err
	}
	s.wanted[r] = false
	return r.process.Signal(terminate)
}

// carryOut does what was asked for, in this process or in one that is attached.
func (s *stack) carryOut(ctx context.Context, asked order) error {
	switch {
	case asked.Stop != "":
		return s.tellToStop(asked.Stop)
	case asked.Interfere != nil:
		return s.interfere(ctx, asked.Interfere.Component, asked.Interfere.Fault)
	case asked.Scale != nil:
		return s.scale(ctx, asked.Scale.Component, asked.Scale.Replicas)
	case asked.Pause != nil:
		return s.pause(ctx, asked.Pause.Component, asked.Pause.For)
	default:
		return s.restart(ctx, asked.Restart)
	}
}

// running is a component that was started; s.mu is held.
func (s *stack) running(component string) (*running, error) {
	i := slices.IndexFunc(s.started, func(r *running) bool { return r.part.name == component })
	if i < 0 || s.closed {
		return nil, errors.New("no such component is up")
	}
	return s.started[i], nil
}

// components lists what is up, by name.
func (s *stack) components() []cluster.Component {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]cluster.Component, len(s.started))
	for i, r := range s.started {
		list[i] = r.part.component(r.process.PID(), filepath.Join("logs", filepath.Base(r.logPath)))
	}
	slices.SortFunc(list, func(a, b cluster.Component) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// down ends everything in reverse order; a second call does nothing.
func (s *stack) down(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	clear(s.wanted)
	started := slices.Clone(s.started)
	s.mu.Unlock()

	errs := []error{s.closeProxies()}
	for _, b := range s.balancers {
		errs = append(errs, b.close())
	}
	for _, r := range slices.Backward(started) {
		if err := end(ctx, r.process, r.part.stop); err != nil {
			errs = append(errs, fmt.Errorf("end %s: %w", r.part.name, err))
		}
	}
	if errors.Join(errs...) == nil {
		s.watchers.Wait()
		s.launcher.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.deaths)
	return errors.Join(errs...)
}

// firstDeath returns a death that has been reported already.
func (s *stack) firstDeath() (cluster.Death, bool) {
	select {
	case death := <-s.deaths:
		return death, true
	default:
		return cluster.Death{}, false
	}
}

// privateFolder makes a folder that only this user can read, below parent or,
// where that is "", below the system's folder for temporary files: it will hold
// keys. It lies outside the run's folder, which people pass on.
func privateFolder(parent string) (string, error) {
	if parent != "" {
		if err := os.MkdirAll(parent, 0o700); err != nil {
			return "", fmt.Errorf("make the folder of the private state: %w", err)
		}
	}
	dir, err := os.MkdirTemp(parent, "floodgate-")
	if err != nil {
		return "", fmt.Errorf("make a private folder: %w", err)
	}
	return dir, nil
}
