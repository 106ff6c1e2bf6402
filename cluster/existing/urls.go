package existing

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kubernetes"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// urlPatience is how long what is behind the URLs may take to be as the policies
// say: it is there already.
const urlPatience = 30 * time.Second

// urls is a system behind plain URLs. It can be read, and nothing can be done
// to it.
type urls struct {
	up   cluster.Stack
	died chan cluster.Death
	once sync.Once
}

var (
	_ cluster.System           = (*urls)(nil)
	_ cluster.LimiterLister    = (*urls)(nil)
	_ cluster.CapabilityTeller = (*urls)(nil)
)

func newURLs(up cluster.Stack) *urls { return &urls{up: up, died: make(chan cluster.Death)} }

// urlStack is the stack that options name, with the user's policy alone: no
// other variant can be made.
func urlStack(options cluster.Options) cluster.Stack {
	o := options.Kubernetes
	trim := func(text string) string { return strings.TrimRight(text, "/") }
	v := cluster.Variant{
		Name: kubernetes.MainVariant, Gateway: trim(o.Gateway), GatewayStats: o.GatewayStats,
		Backend: trim(o.Backend), Journal: o.Journal, Authorizer: o.Authorizer, UserLabel: o.UserLabel,
	}
	for _, base := range o.LimiterAdmin {
		v.Limiters = append(v.Limiters, trim(base))
		// Prometheus names a target by its address, unless it was told otherwise.
		if parsed, err := url.Parse(base); err == nil && o.Prometheus != "" {
			v.PrometheusInstances = append(v.PrometheusInstances, hostPort(parsed))
		}
	}
	for _, spec := range options.Variants {
		if spec.Name == kubernetes.MainVariant {
			v.Dir = spec.Dir
		}
	}
	return cluster.Stack{
		Provider: name, Prometheus: trim(o.Prometheus), Variants: map[string]cluster.Variant{v.Name: v},
		Components: []cluster.Component{{Name: "gateway", Origin: cluster.Real, Version: "unknown", Path: trim(o.Gateway)}},
	}
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

// openURLs checks that what is behind the URLs is what the policies say, as far
// as it can be read.
func openURLs(ctx context.Context, options cluster.Options) (cluster.System, error) {
	stack := urlStack(options)
	v := stack.Variants[kubernetes.MainVariant]
	if v.Dir == "" {
		return nil, errors.New("a system behind plain URLs needs its policies: --policies names the folder of their manifests")
	}
	set, err := policy.Read(v.Dir)
	if err != nil {
		return nil, err
	}
	if v.UserLabel == "" && len(set.Telemetry()) > 0 {
		_, v.UserLabel = probe.MetricLabels(set)
		stack.Variants[v.Name] = v
	}
	if err := reachable(ctx, v.Gateway); err != nil {
		return nil, &cluster.StartError{Component: "gateway", Waiting: "a connection to " + v.Gateway, Cause: err, Next: "--gateway-url must be reachable from here"}
	}
	reader := metrics.NewReader(nil)
	defer reader.Close()
	bounded, cancel := context.WithTimeoutCause(ctx, urlPatience, fmt.Errorf("not so after %s", urlPatience))
	defer cancel()
	for _, base := range v.Limiters {
		err := probe.Until(bounded, func(ctx context.Context) error { return probe.LimitsInForce(ctx, reader, base, set) })
		if err != nil {
			return nil, &cluster.StartError{
				Component: "limitador", Waiting: "the policies' limits at " + base, Cause: err,
				Next: "--policies must name the manifests that are in force there",
			}
		}
	}
	s := newURLs(stack)
	if options.Progress != nil {
		for _, spec := range options.Variants {
			if spec.Name != kubernetes.MainVariant {
				_, _ = fmt.Fprintf(options.Progress, "variant %s is left out: behind plain URLs none can be made\n", spec.Name)
			}
		}
	}
	return s, nil
}

func reachable(ctx context.Context, base string) error {
	parsed, err := url.Parse(base)
	if err != nil {
		return err
	}
	dialing, cancel := context.WithTimeout(ctx, urlPatience)
	defer cancel()
	connection, err := new(net.Dialer).DialContext(dialing, "tcp", hostPort(parsed))
	if err != nil {
		return err
	}
	return connection.Close()
}

// Stack says where it is.
func (s *urls) Stack() cluster.Stack { return s.up }

// Died is silent: nobody here sees components end.
func (s *urls) Died() <-chan cluster.Death { return s.died }

// Down leaves the system as it is.
func (s *urls) Down(context.Context) error {
	s.once.Do(func() { close(s.died) })
	return nil
}

// Limiters are those that were given.
func (s *urls) Limiters(_ context.Context, variant string) ([]string, error) {
	v, ok := s.up.Variants[variant]
	if !ok {
		return nil, fmt.Errorf("variant %q: there is none of that name in the stack", variant)
	}
	if len(v.Limiters) == 0 {
		return nil, errors.New("no limiter's URL was given: --limiter-url")
	}
	return v.Limiters, nil
}

// Lacks says why a capability is missing.
func (s *urls) Lacks(capability any) error {
	if _, ok := capability.(*cluster.LimiterLister); ok && len(s.up.Variants[kubernetes.MainVariant].Limiters) == 0 {
		return errors.New("no limiter's URL was given: --limiter-url")
	}
	return nil
}

// Capabilities lists what was given.
func (s *urls) Capabilities() []cluster.Capability {
	v := s.up.Variants[kubernetes.MainVariant]
	var list []cluster.Capability
	add := func(name string, has bool, why string) {
		one := cluster.Capability{Name: name, Has: has}
		if !has {
			one.Why = why
		}
		list = append(list, one)
	}
	for _, name := range []string{"issue fresh identities", "variants of the policy", "edit policies", "restart components", "scale components", "cut components off", "logs and events"} {
		add(name, false, "plain URLs: there is no cluster to ask")
	}
	add("book of the limiter", len(v.Limiters) > 0, "--limiter-url is missing")
	add("book of the gateway", v.GatewayStats != "", "--gateway-stats-url is missing")
	add("book of the backend", v.Backend != "" || v.Journal != "", "--backend-url and --journal-url are missing")
	add("book of Prometheus", s.up.Prometheus != "", "--prometheus-url is missing")
	add("ask the authorizer", v.Authorizer != "", "--authorizer-addr is missing")
	return list
}
