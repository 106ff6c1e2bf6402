package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
)

const (
	// mostReplicas bounds a scaling: each replica is a process.
	mostReplicas = 5
	// drainPatience is how long a gateway that is no longer asked may take to answer
	// what it has.
	drainPatience = 5 * time.Second
)

// replicaSet is a component of which there can be several, in a variant that was
// made for it.
type replicaSet struct {
	// fewest is how few there can be.
	fewest int
	// first is the one that there was at first, and another the nth as it is to be
	// started.
	first   *running
	another func(nth int) part
	// publish tells those who call it where the replicas are, and leaves when one is
	// not called any more, so that it can be ended.
	publish func(replicas []*running) error
	leaves  func(r *running)

	// scaling is held while replicas come or go.
	scaling sync.Mutex
	// replicas are those that there are, the first one included if it is up.
	replicas []*running
}

// scale starts or ends replicas until there are so many.
func (s *stack) scale(ctx context.Context, component string, n int) error {
	s.mu.Lock()
	set, ok := s.scalable[component]
	closed := s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return errors.New("the stack is down")
	case !ok:
		return errNotScalable
	case n < set.fewest || n > mostReplicas:
		return fmt.Errorf("%d replicas are not between %d and %d: %w", n, set.fewest, mostReplicas, errors.ErrUnsupported)
	}
	set.scaling.Lock()
	defer set.scaling.Unlock()
	for len(set.replicas) < n {
		more, err := s.another(ctx, set)
		if err != nil {
			return err
		}
		set.replicas = append(set.replicas, more)
	}
	kept, gone := set.replicas[:n:n], set.replicas[n:]
	if err := set.publish(kept); err != nil {
		return err
	}
	set.replicas = kept
	var errs []error
	for _, r := range gone {
		set.leaves(r)
		errs = append(errs, s.dismiss(ctx, r))
	}
	return errors.Join(errs...)
}

// another starts one more replica. The first one keeps its ports, by which
// Prometheus knows it.
func (s *stack) another(ctx context.Context, set *replicaSet) (*running, error) {
	if len(set.replicas) > 0 {
		return s.up(ctx, set.another(len(set.replicas)+1))
	}
	r, err := s.relaunch(ctx, set.first)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.started = append(s.started, r)
	s.mu.Unlock()
	s.watch(r)
	return r, nil
}

var errNotScalable = fmt.Errorf("its variant was not made for replicas: %w", errors.ErrUnsupported)

// dismiss ends a component that is not needed any more.
func (s *stack) dismiss(ctx context.Context, r *running) error {
	s.mu.Lock()
	// Who was restarted is another by now.
	if i := slices.IndexFunc(s.started, func(o *running) bool { return o.part.name == r.part.name }); i >= 0 {
		r = s.started[i]
		s.started = slices.Delete(s.started, i, i+1)
	}
	s.wanted[r] = false
	s.mu.Unlock()
	return end(ctx, r.process, r.part.stop)
}

// nth names a replica: the first one as if it were the only one.
func nth(name string, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, n)
}

// whereabouts are where a variant's replicas are, in its folder for those who are
// attached.
type whereabouts struct {
	Gateways []string `json:"gateways,omitempty"`
	Limiters []string `json:"limiters,omitempty"`
	// Counts are by component, as Replicas tells them.
	Counts map[string]int `json:"counts"`
}

func (f variantFiles) whereabouts() string { return filepath.Join(f.dir, "replicas.json") }

// endpoints is the file of the limiters' addresses that the gateways follow.
func (f variantFiles) endpoints() string { return filepath.Join(f.dir, "gateway", "limiters") }

func (f variantFiles) readWhereabouts() (whereabouts, error) {
	var now whereabouts
	text, err := os.ReadFile(f.whereabouts())
	if err != nil {
		return now, err
	}
	return now, json.Unmarshal(text, &now)
}

// writeWhereabouts changes what stands in the file.
func (f variantFiles) writeWhereabouts(change func(*whereabouts)) error {
	now, err := f.readWhereabouts()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if now.Counts == nil {
		now.Counts = map[string]int{}
	}
	change(&now)
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return writeAtomically(f.whereabouts(), text)
}

// scaleLimiters makes a variant's limiter the first of several.
func (u *upping) scaleLimiters(v *variant, first *running, labels string) error {
	set := &replicaSet{first: first, replicas: []*running{first}, leaves: func(*running) {}}
	set.another = func(n int) part {
		p := u.limiterPart(v, labels)
		p.name = nth(p.name, n)
		return p
	}
	set.publish = func(replicas []*running) error {
		var calls, bases []string
		for _, r := range replicas {
			calls = append(calls, limiterCalls(v, r)...)
			for n := 1; n <= v.limiters; n++ {
				bases = append(bases, baseURL(r.ports[nth(limiterHTTPPort, n)]))
			}
		}
		if err := writeAtomically(v.files.endpoints(), []byte(strings.Join(calls, "\n"))); err != nil {
			return err
		}
		return v.files.writeWhereabouts(func(now *whereabouts) { now.Limiters, now.Counts[limiter] = bases, len(replicas) })
	}
	if err := set.publish(set.replicas); err != nil {
		return err
	}
	u.stack.addSet(first.part.name, set)
	v.limiter = endpointsOption + v.files.endpoints()
	return nil
}

// scaleGateways makes a variant's gateway the first of several behind one address.
func (u *upping) scaleGateways(v *variant, at reach, first *running) error {
	balancer, err := newBalancer(hostPort(first.ports[gatewayPort]))
	if err != nil {
		return &cluster.StartError{Component: first.part.name, Cause: err}
	}
	set := &replicaSet{fewest: 1, first: first, replicas: []*running{first}}
	set.another = func(n int) part {
		p := u.gatewayPart(v, at)
		p.name = nth(p.name, n)
		return p
	}
	set.leaves = func(r *running) { balancer.drained(hostPort(r.ports[gatewayPort]), drainPatience) }
	set.publish = func(replicas []*running) error {
		var addresses, stats []string
		for _, r := range replicas {
			addresses, stats = append(addresses, hostPort(r.ports[gatewayPort])), append(stats, statsURL(r))
		}
		balancer.set(addresses)
		return v.files.writeWhereabouts(func(now *whereabouts) { now.Gateways, now.Counts[gatewayComponent] = stats, len(stats) })
	}
	u.stack.addSet(first.part.name, set)
	u.stack.mu.Lock()
	u.stack.balancers = append(u.stack.balancers, balancer)
	u.stack.mu.Unlock()
	v.up.Gateway = "http://" + balancer.address()
	return set.publish(set.replicas)
}

func statsURL(r *running) string { return baseURL(r.ports[gatewayAdminPort]) + "/stats/prometheus" }

func (s *stack) addSet(component string, set *replicaSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scalable[component] = set
}

// Scale starts or ends replicas of a component whose variant was made for it.
func (a *attached) Scale(ctx context.Context, component string, replicas int) error {
	if err := a.do(ctx, order{Scale: &scaling{component, replicas}}); err != nil {
		return fmt.Errorf("scale %s to %d: %w", component, replicas, err)
	}
	return nil
}

// Replicas is how many there are.
func (a *attached) Replicas(_ context.Context, component string) (int, error) {
	kind, variant, own := strings.Cut(component, "@")
	if !own {
		variant = mainVariant
	}
	now, err := a.whereabouts(variant)
	if err != nil {
		return 0, fmt.Errorf("replicas of %s: %w", component, err)
	}
	n, ok := now.Counts[kind]
	if !ok {
		return 0, fmt.Errorf("replicas of %s: %w", component, errNotScalable)
	}
	return n, nil
}

// Limiters are a variant's limiters as they are now.
func (a *attached) Limiters(_ context.Context, variant string) ([]string, error) {
	now, err := a.whereabouts(variant)
	_, scalable := now.Counts[limiter]
	if errors.Is(err, errors.ErrUnsupported) || err == nil && !scalable {
		return a.up.Variants[variant].Limiters, nil
	}
	return now.Limiters, err
}

// GatewayStats are the counters of a variant's gateways as they are now.
func (a *attached) GatewayStats(_ context.Context, variant string) ([]string, error) {
	now, err := a.whereabouts(variant)
	if errors.Is(err, errors.ErrUnsupported) {
		return []string{a.up.Variants[variant].GatewayStats}, nil
	}
	return now.Gateways, err
}

// whereabouts are where a variant's replicas are, or that it was not made for them.
func (a *attached) whereabouts(variant string) (whereabouts, error) {
	_, files, err := a.variant(variant)
	if err != nil {
		return whereabouts{}, err
	}
	now, err := files.readWhereabouts()
	if errors.Is(err, os.ErrNotExist) {
		return now, errNotScalable
	}
	return now, err
}
