package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// editPatience is how long a policy may take to be in force: 0.2 to 0.8 s were
// measured, and 40 to 62 s where the operator does not touch the limiter's pods
// (vectors of the cluster, timeline).
const editPatience = 90 * time.Second

// configPatience is how long a gateway may take to load what its policies mean
// once these are enforced.
const configPatience = 30 * time.Second

// PutPolicy gives the cluster another policy of a variant: what differs is
// replaced, what is not in it any more deleted. It waits for nobody.
func (s *System) PutPolicy(ctx context.Context, variant string, set *policy.Set) error {
	v, err := s.variant(variant)
	if err != nil {
		return err
	}
	if err := s.putPolicy(ctx, v, set); err != nil {
		return fmt.Errorf("put a policy into %s: %w", variant, err)
	}
	return nil
}

func (s *System) putPolicy(ctx context.Context, v cluster.Variant, set *policy.Set) error {
	before, err := s.set(v)
	if err != nil {
		return err
	}
	was, err := objectsOf(before)
	if err != nil {
		return err
	}
	wanted, err := objectsOf(set)
	if err != nil {
		return err
	}
	// Keys first, so that no limit is asked about a caller that nobody knows.
	for _, name := range order(wanted) {
		if old, ok := was[name]; ok && old.text == wanted[name].text {
			continue
		}
		if v.Name != MainVariant || wanted[name].part == policy.Keys {
			s.label(wanted[name].object)
		}
		if err := s.changes.replace(ctx, wanted[name].object); err != nil {
			return err
		}
	}
	for _, name := range order(was) {
		if _, stays := wanted[name]; stays {
			continue
		}
		if err := s.changes.remove(ctx, was[name].object); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets[v.Name] = set
	return nil
}

// held is an object of a set.
type held struct {
	object *unstructured.Unstructured
	part   policy.Part
	text   string
}

// objectsOf are what a set puts into a cluster, by name. Objects that say
// nothing about limits are not touched.
func objectsOf(set *policy.Set) (map[string]held, error) {
	manifests, err := set.Manifests()
	if err != nil {
		return nil, err
	}
	found := map[string]held{}
	for _, m := range manifests {
		if m.Part == policy.Others {
			continue
		}
		objects, err := kube.Decode(m.Text)
		if err != nil || len(objects) != 1 {
			// The parser's message can quote the text, and so a key.
			return nil, fmt.Errorf("%s %s/%s cannot be applied as it is written", m.Kind, m.Namespace, m.Name)
		}
		objects[0].SetNamespace(m.Namespace)
		found[m.Kind+" "+m.Namespace+"/"+m.Name] = held{objects[0], m.Part, string(m.Text)}
	}
	return found, nil
}

// order are the names, keys first, then routes, then who may call, then limits.
func order(objects map[string]held) []string {
	parts := []policy.Part{policy.Keys, policy.Routing, policy.Callers, policy.RateLimit}
	names := make([]string, 0, len(objects))
	for name := range objects {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if n := slices.Index(parts, objects[a].part) - slices.Index(parts, objects[b].part); n != 0 {
			return n
		}
		return slices.Compare([]string{a}, []string{b})
	})
	return names
}

// Apply is PutPolicy and the wait until it is in force: every limiter shows
// exactly its limits, its objects are enforced as they are now, every authorizer
// knows its hosts and keys, and every gateway has loaded a filter configuration
// that changed.
func (s *System) Apply(ctx context.Context, variant string, set *policy.Set) error {
	v, err := s.variant(variant)
	if err != nil {
		return err
	}
	before, err := s.set(v)
	if err != nil {
		return err
	}
	taken := s.configurations(ctx, v)
	if err := s.PutPolicy(ctx, variant, set); err != nil {
		return err
	}
	err = s.awaitInForce(ctx, v, set, namespacesOf(before))
	if err == nil && !reflect.DeepEqual(filterOf(before), filterOf(set)) {
		err = s.awaitConfiguration(ctx, v, taken)
	}
	if err != nil {
		return fmt.Errorf("apply a policy to %s: %w", variant, err)
	}
	return nil
}

// filterOf is the configuration of the filter of the set's Gateway.
func filterOf(set *policy.Set) any { return set.WasmConfigs()[set.Request().Gateway] }

// configurations count, by gateway, the configurations that its filter has
// taken. One that cannot be read is not among them.
func (s *System) configurations(ctx context.Context, v cluster.Variant) map[string]int64 {
	found := map[string]int64{}
	if !s.mayForward() {
		return found
	}
	urls, err := s.GatewayStats(ctx, v.Name)
	if err != nil {
		return found
	}
	for _, address := range urls {
		if g, err := s.reader.Gateway(ctx, address); err == nil && g.Dialect == metrics.Kuadrant {
			found[address] = g.Configs
		}
	}
	return found
}

// awaitConfiguration waits until each gateway that was read before has taken a
// new configuration. One that is gone has an heir that began with it.
func (s *System) awaitConfiguration(ctx context.Context, v cluster.Variant, before map[string]int64) error {
	bounded, cancel := context.WithTimeoutCause(ctx, configPatience, fmt.Errorf("not so after %s", configPatience))
	defer cancel()
	return kube.Until(bounded, 5*probe.Interval, func(ctx context.Context) error {
		for address, now := range s.configurations(ctx, v) {
			if was, known := before[address]; known && now == was {
				return fmt.Errorf("a gateway has taken no new configuration: kuadrant_configs is still %d", now)
			}
		}
		return ctx.Err()
	})
}

// awaitInForce waits for limiters, objects and authorizers. besides are
// namespaces of the limiter that must have no limit but the set's.
func (s *System) awaitInForce(ctx context.Context, v cluster.Variant, set *policy.Set, besides []string) error {
	bounded, cancel := context.WithTimeoutCause(ctx, editPatience, fmt.Errorf("not in force after %s", editPatience))
	defer cancel()
	if err := kube.Until(bounded, 5*probe.Interval, func(ctx context.Context) error {
		return s.limitsEverywhere(ctx, v, set, besides)
	}); err != nil {
		return err
	}
	if err := kube.Until(bounded, 5*probe.Interval, func(ctx context.Context) error {
		state, err := s.PolicyState(ctx, v.Name)
		if err == nil && state.Exists && (!state.Current || !state.Enforced) {
			err = fmt.Errorf("its policies are not enforced as they are now: %s", strings.Join(state.Reasons, "; "))
		}
		return err
	}); err != nil {
		return err
	}
	if s.state.Settle {
		return pause(ctx, settleTime)
	}
	return s.awaitAuthorizers(ctx, func(ctx context.Context, address string) error {
		if err := probe.AuthConfigsInForce(ctx, address, set); err != nil {
			return err
		}
		for _, identity := range set.Identities() {
			if err := probe.KeyKnown(ctx, address, set, identity); err != nil {
				return fmt.Errorf("%s: %w", identity, err)
			}
		}
		return nil
	})
}

// limitsEverywhere returns nil if every limiter shows exactly the set's limits.
func (s *System) limitsEverywhere(ctx context.Context, v cluster.Variant, set *policy.Set, besides []string) error {
	urls := v.Limiters
	if s.Lacks((*cluster.LimiterLister)(nil)) == nil {
		var err error
		if urls, err = s.Limiters(ctx, v.Name); err != nil {
			return err
		}
	}
	if len(urls) == 0 {
		return errors.New("no limiter's HTTP API can be reached")
	}
	for _, base := range urls {
		if err := probe.LimitsInForce(ctx, s.reader, base, set, besides...); err != nil {
			return err
		}
	}
	return nil
}

// namespacesOf are the limiter's namespaces of a set.
func namespacesOf(set *policy.Set) []string {
	var names []string
	for _, l := range set.LimitadorLimits() {
		if !slices.Contains(names, l.Namespace) {
			names = append(names, l.Namespace)
		}
	}
	return names
}

// PolicyState is what the objects of a variant's rate limits say.
func (s *System) PolicyState(ctx context.Context, variant string) (cluster.PolicyState, error) {
	v, err := s.variant(variant)
	if err != nil {
		return cluster.PolicyState{}, err
	}
	set, err := s.set(v)
	if err != nil {
		return cluster.PolicyState{}, err
	}
	state := cluster.PolicyState{Current: true, Accepted: true, Enforced: true, Programmed: true}
	manifests, err := set.Manifests()
	if err != nil {
		return cluster.PolicyState{}, err
	}
	for _, m := range manifests {
		if m.Part != policy.RateLimit {
			continue
		}
		live, err := s.cluster.Get(ctx, Resource{m.APIVersion, m.Kind, m.Namespace, m.Name}.object())
		if kube.Missing(err) {
			state.Current, state.Accepted, state.Enforced = false, false, false
			state.Reasons = append(state.Reasons, fmt.Sprintf("%s %s/%s is not there", m.Kind, m.Namespace, m.Name))
			continue
		}
		if err != nil {
			return cluster.PolicyState{}, fmt.Errorf("read %s %s/%s: %w", m.Kind, m.Namespace, m.Name, err)
		}
		state.Exists = true
		read(&state, live)
	}
	if !state.Exists {
		state.Current, state.Accepted, state.Enforced = false, false, false
	}
	namespace, name, err := s.gatewayOf(v)
	if err != nil {
		return cluster.PolicyState{}, err
	}
	if err := kube.ListenerProgrammed(namespace, name)(ctx, s.cluster); err != nil {
		state.Programmed = false
		state.Reasons = append(state.Reasons, err.Error())
	}
	return state, nil
}

// read adds what one policy's status says.
func read(state *cluster.PolicyState, live *unstructured.Unstructured) {
	seen, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	if seen != live.GetGeneration() {
		state.Current = false
		state.Reasons = append(state.Reasons, fmt.Sprintf("%s: its status is of change %d, the last is %d", kube.Name(live), seen, live.GetGeneration()))
	}
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	is := map[string]bool{}
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		kind := member(condition, "type", "")
		is[kind] = condition["status"] == "True"
		if !is[kind] {
			state.Reasons = append(state.Reasons, fmt.Sprintf("%s: %s is %v: %s", kube.Name(live), kind, condition["status"], member(condition, "message", "no reason given")))
		}
	}
	state.Accepted = state.Accepted && is["Accepted"]
	state.Enforced = state.Enforced && is["Enforced"]
}
