package existing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
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
	}
	for _, spec := range options.Variants {
		if spec.Name == kubernetes.MainVariant {
			v.Dir = spec.Dir
		}
	}
	return cluster.Stack{
		Provider: name, Shared: true, Prometheus: trim(o.Prometheus), Variants: map[string]cluster.Variant{v.Name: v}, Components: components(v, trim(o.Prometheus)),
	}
}

// components are the parts that URLs lead to. What they are cannot be told.
func components(v cluster.Variant, prometheus string) []cluster.Component {
	var list []cluster.Component
	add := func(name, path string) {
		if path != "" {
			list = append(list, cluster.Component{Name: name, Origin: cluster.Unknown, Path: path})
		}
	}
	add("gateway", v.Gateway)
	for i, base := range v.Limiters {
		if i == 0 {
			add("limitador", base)
		} else {
			add(fmt.Sprintf("limitador-%d", i+1), base)
		}
	}
	add("authorino", v.Authorizer)
	add("llmd", cmp.Or(v.Backend, v.Journal))
	add("prometheus", prometheus)
	return list
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
	if stack.Prometheus != "" {
		v.PrometheusInstances, err = scraped(bounded, reader, stack.Prometheus, v.Limiters)
		if err != nil {
			// Its book is then missing, like one that nobody named.
			stack.Prometheus = ""
			if options.Progress != nil {
				_, _ = fmt.Fprintf(options.Progress, "no book of Prometheus: %v\n", err)
			}
		}
		stack.Variants[v.Name] = v
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

// scraped are the instance labels that a Prometheus gives the limiters at these
// URLs, or those of all limiters that it scrapes where no URL is given. It names
// a target by its address, which differs from the URL where a port is forwarded:
// then their number must tell.
func scraped(ctx context.Context, reader *metrics.Reader, prometheus string, limiters []string) ([]string, error) {
	known, err := reader.ScrapedLimiters(ctx, prometheus)
	if err != nil {
		return nil, err
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("prometheus at %s scrapes no limiter", prometheus)
	}
	var same []string
	for _, base := range limiters {
		if parsed, err := url.Parse(base); err == nil && slices.Contains(known, hostPort(parsed)) {
			same = append(same, hostPort(parsed))
		}
	}
	switch {
	case len(limiters) > 0 && len(same) == len(limiters):
		return same, nil
	case len(limiters) == 0 || len(same) == 0 && len(limiters) == len(known):
		return known, nil
	}
	return nil, fmt.Errorf("prometheus at %s scrapes the limiters %s, of which it cannot be told which are at %s: --limiter-url must name each of them",
		prometheus, strings.Join(known, " and "), strings.Join(limiters, " and "))
}

// reachable connects to a URL's server and sends nothing.
func reachable(ctx context.Context, base string) error {
	parsed, err := url.Parse(base)
	if err != nil {
		return err
	}
	return connects(ctx, hostPort(parsed))
}

func connects(ctx context.Context, address string) error {
	dialing, cancel := context.WithTimeout(ctx, urlPatience)
	defer cancel()
	connection, err := new(net.Dialer).DialContext(dialing, "tcp", address)
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
	return s.capabilities(func(string) error { return nil })
}

// capabilities lists what was given and passes a test, which gets each URL or
// host:port.
func (s *urls) capabilities(test func(where string) error) []cluster.Capability {
	v := s.up.Variants[kubernetes.MainVariant]
	var list []cluster.Capability
	for _, name := range []string{"issue fresh identities", "variants of the policy", "edit policies", "restart components", "scale components", "cut components off and slow them", "logs and events"} {
		list = append(list, cluster.Capability{Name: name, Why: "plain URLs: there is no cluster to ask"})
	}
	add := func(name, missing string, where ...string) {
		one := cluster.Capability{Name: name, Why: missing}
		if where = slices.DeleteFunc(slices.Clone(where), func(text string) bool { return text == "" }); len(where) > 0 {
			one = cluster.Capability{Name: name, Has: true}
		}
		for _, text := range where {
			if err := test(text); err != nil {
				one.Has, one.Why = false, err.Error()
			}
		}
		list = append(list, one)
	}
	add("fire at the gateway", "--gateway-url is missing", v.Gateway)
	add("book of the limiter", "--limiter-url is missing", v.Limiters...)
	add("book of the gateway", "--gateway-stats-url is missing", v.GatewayStats)
	add("book of the backend", "--backend-url and --journal-url are missing", v.Backend, v.Journal)
	add("book of Prometheus", "--prometheus-url is missing", s.up.Prometheus)
	add("ask the authorizer", "--authorizer-addr is missing", v.Authorizer)
	return list
}
