package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/policy/wasmconfig"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
)

// The ports of a gateway pod, as Istio's have them (vectors of the cluster,
// llm-d workload).
const (
	statsPort  = ":15020"
	envoyPort  = ":15090"
	healthPort = ":15021"
)

// nowhere is the backend while no route names one.
const nowhere = "http://127.0.0.1:9"

// Gateway runs the gateway's stand-in in a pod until ctx ends: it follows the
// EnvoyFilters and HTTPRoutes of its Gateway. The filter's configuration and the
// services that it names are taken over without a break; routes are what it is
// started with, so when they change it is started again. After ctx's end it
// serves on for a while, as Istio's proxies do, so that those who still know its
// address are not turned away.
func Gateway(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	var o gateway.Options
	flags := pflag.NewFlagSet("gateway-pod", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("gateway", "", "`NAMESPACE/NAME` of the Gateway")
	flags.StringVar(&o.Listen, "listen", ":80", "`ADDR` for clients")
	flags.StringArrayVar(&o.Faults, "fault", nil, "show a named fault (`NAME`), repeatable")
	flags.Uint64Var(&o.FaultSeed, "fault-seed", 0, "seed of the faults that strike at random")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	namespace, gatewayName, ok := strings.Cut(*name, "/")
	if !ok || namespace == "" || gatewayName == "" {
		_, _ = fmt.Fprintln(stderr, "--gateway NAMESPACE/NAME is needed")
		return 2
	}
	cluster, err := kube.InCluster()
	if err != nil {
		return fail(stderr, err)
	}
	o.Log = slog.New(slog.NewTextHandler(stderr, nil))
	f := newFollowed(namespace, gatewayName)
	for _, kind := range []watched{{cluster.Dynamic, namespace, envoyFilters}, {cluster.Dynamic, namespace, httpRoutes}} {
		if err := kind.run(ctx, f.put, f.drop); err != nil {
			return fail(stderr, err)
		}
	}
	s := &served{options: o, followed: f, stdout: stdout}
	if err := s.run(ctx); err != nil {
		return fail(stderr, err)
	}
	return 0
}

// followed is what the objects of a Gateway say now.
type followed struct {
	namespace, name string

	mu      sync.Mutex
	objects map[string]*unstructured.Unstructured
	changed chan struct{}
}

func newFollowed(namespace, name string) *followed {
	return &followed{namespace: namespace, name: name, objects: map[string]*unstructured.Unstructured{}, changed: make(chan struct{}, 1)}
}

func (f *followed) put(o *unstructured.Unstructured) {
	f.set(o, o)
}

func (f *followed) drop(o *unstructured.Unstructured) {
	f.set(o, nil)
}

func (f *followed) set(named, o *unstructured.Unstructured) {
	key := named.GetKind() + " " + named.GetNamespace() + "/" + named.GetName()
	f.mu.Lock()
	if o == nil {
		delete(f.objects, key)
	} else {
		f.objects[key] = o
	}
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// meaning is what a gateway needs of its objects.
type meaning struct {
	config   wasmconfig.Config
	clusters map[string]string
	routes   []gateway.Route
	upstream string
}

func (f *followed) meaning() (meaning, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := meaning{
		config:   wasmconfig.Config{Services: map[string]wasmconfig.Service{}, ActionSets: []wasmconfig.ActionSet{}},
		clusters: map[string]string{}, routes: []gateway.Route{}, upstream: nowhere,
	}
	var errs []error
	// In one order: another would look like other routes.
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		o := f.objects[key]
		switch o.GetKind() {
		case "EnvoyFilter":
			errs = append(errs, f.filter(o, &m))
		case "HTTPRoute":
			errs = append(errs, f.route(o, &m))
		}
	}
	return m, errors.Join(errs...)
}

// envoyFilter is an EnvoyFilter as kuadrant-operator writes it (vectors of the
// cluster).
type envoyFilter struct {
	Spec struct {
		TargetRefs    []ref `json:"targetRefs"`
		ConfigPatches []struct {
			ApplyTo string `json:"applyTo"`
			Patch   struct {
				Value struct {
					Name           string `json:"name"`
					LoadAssignment struct {
						Endpoints []struct {
							Endpoints []struct {
								Endpoint struct {
									Address struct {
										Socket struct {
											Address string `json:"address"`
											Port    int    `json:"port_value"`
										} `json:"socket_address"`
									} `json:"address"`
								} `json:"endpoint"`
							} `json:"lb_endpoints"`
						} `json:"endpoints"`
					} `json:"load_assignment"`
					TypedConfig struct {
						Value struct {
							Config struct {
								Configuration struct {
									Value string `json:"value"`
								} `json:"configuration"`
							} `json:"config"`
						} `json:"value"`
					} `json:"typed_config"`
				} `json:"value"`
			} `json:"patch"`
		} `json:"configPatches"`
	} `json:"spec"`
}

type ref struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Port      int    `json:"port"`
}

func (f *followed) filter(o *unstructured.Unstructured, m *meaning) error {
	var filter envoyFilter
	if err := convert(o, &filter); err != nil {
		return err
	}
	ours := false
	for _, target := range filter.Spec.TargetRefs {
		ours = ours || target.Kind == "Gateway" && target.Name == f.name
	}
	if !ours {
		return nil
	}
	for _, patch := range filter.Spec.ConfigPatches {
		value := patch.Patch.Value
		switch patch.ApplyTo {
		case "CLUSTER":
			for _, group := range value.LoadAssignment.Endpoints {
				for _, endpoint := range group.Endpoints {
					at := endpoint.Endpoint.Address.Socket
					m.clusters[value.Name] = net.JoinHostPort(at.Address, fmt.Sprint(at.Port))
				}
			}
		case "HTTP_FILTER":
			text := value.TypedConfig.Value.Config.Configuration.Value
			if text == "" {
				continue
			}
			m.config = wasmconfig.Config{}
			if err := json.Unmarshal([]byte(text), &m.config); err != nil {
				return fmt.Errorf("EnvoyFilter %s/%s: the filter's configuration: %w", o.GetNamespace(), o.GetName(), err)
			}
		}
	}
	return nil
}

// httpRoute is an HTTPRoute as far as the gateway needs it.
type httpRoute struct {
	Spec struct {
		ParentRefs []ref    `json:"parentRefs"`
		Hostnames  []string `json:"hostnames"`
		Rules      []struct {
			Matches []struct {
				Path struct {
					Type  string `json:"type"`
					Value string `json:"value"`
				} `json:"path"`
				Method string `json:"method"`
			} `json:"matches"`
			BackendRefs []ref `json:"backendRefs"`
		} `json:"rules"`
	} `json:"spec"`
}

func (f *followed) route(o *unstructured.Unstructured, m *meaning) error {
	var route httpRoute
	if err := convert(o, &route); err != nil {
		return err
	}
	ours := false
	for _, parent := range route.Spec.ParentRefs {
		ours = ours || (parent.Kind == "" || parent.Kind == "Gateway") && parent.Name == f.name &&
			(parent.Namespace == f.namespace || parent.Namespace == "" && o.GetNamespace() == f.namespace)
	}
	if !ours {
		return nil
	}
	for _, rule := range route.Spec.Rules {
		for _, backend := range rule.BackendRefs {
			namespace := backend.Namespace
			if namespace == "" {
				namespace = o.GetNamespace()
			}
			port := backend.Port
			if port == 0 {
				port = 8000
			}
			// A pool is reached through a Service of its name: there is no endpoint
			// picker here. All routes share the backend that is named first.
			if m.upstream != nowhere {
				continue
			}
			m.upstream = fmt.Sprintf("http://%s.%s.svc.cluster.local:%d", backend.Name, namespace, port)
		}
		if len(rule.Matches) == 0 {
			m.routes = append(m.routes, gateway.Route{Hostnames: route.Spec.Hostnames, PathPrefix: "/"})
		}
		for _, match := range rule.Matches {
			r := gateway.Route{Hostnames: route.Spec.Hostnames}
			switch match.Path.Type {
			case "Exact":
				r.Exact = match.Path.Value
			case "PathPrefix", "":
				r.PathPrefix = match.Path.Value
			}
			if match.Method != "" {
				r.Methods = []string{match.Method}
			}
			m.routes = append(m.routes, r)
		}
	}
	return nil
}

func convert(o *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into); err != nil {
		return fmt.Errorf("%s: %w", kube.Name(o), err)
	}
	return nil
}

// served is the gateway as it serves now.
type served struct {
	options  gateway.Options
	followed *followed
	stdout   io.Writer
	draining atomic.Bool
}

// run serves until ctx ends.
func (s *served) run(ctx context.Context) error {
	stop, err := s.sidePorts(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for {
		again, err := s.serve(ctx)
		if err != nil || !again {
			return err
		}
		s.options.Log.Info("routes or clusters have changed, the gateway starts again")
	}
}

// serve serves with one set of routes and clusters, and tells whether to go on
// with another.
func (s *served) serve(ctx context.Context) (again bool, err error) {
	now, err := s.followed.meaning()
	if err != nil {
		s.options.Log.Error("an object is not in force", "error", err)
	}
	options := s.options
	options.Admin, options.Config, options.Clusters = statsPort, now.config, now.clusters
	options.Routes, options.Upstream = now.routes, now.upstream
	server, err := gateway.New(options)
	if err != nil {
		return false, err
	}
	if err := server.Start(context.WithoutCancel(ctx)); err != nil {
		return false, errors.Join(err, server.Close())
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if _, err := fmt.Fprintf(s.stdout, "listening on %s, admin on %s\n", server.Addr(), server.AdminAddr()); err != nil {
		return false, err
	}
	for {
		select {
		case <-ctx.Done():
			s.drain(server)
			return false, nil
		case <-s.followed.changed:
		}
		next, err := s.followed.meaning()
		if err != nil {
			s.options.Log.Error("an object is not in force", "error", err)
			continue
		}
		if !reflect.DeepEqual(next.routes, now.routes) || next.upstream != now.upstream {
			return true, nil
		}
		if err := server.Connect(next.clusters); err != nil {
			s.options.Log.Error("a service cannot be reached", "error", err)
		}
		if reflect.DeepEqual(next.config, now.config) {
			continue
		}
		if err := server.Apply(next.config); err != nil {
			s.options.Log.Error("configuration rejected, the old one stays", "error", err)
			continue
		}
		now = next
		s.options.Log.Info("configuration in force", "actionSets", len(now.config.ActionSets))
	}
}

// drainTime is how long a gateway serves on after SIGTERM: Istio's
// terminationDrainDuration.
const drainTime = 5 * time.Second

// drain serves on for a while and asks clients to leave. The endpoints of the
// Service, and the load balancers that follow them, lag behind the pod's end.
func (s *served) drain(server *gateway.Server) {
	server.Drain()
	s.draining.Store(true)
	<-time.After(drainTime)
}

// sidePorts serve what Istio's proxies serve beside the gateway: health, and the
// same statistics on Envoy's own port.
func (s *served) sidePorts(ctx context.Context) (stop func(), err error) {
	stats := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1" + statsPort})
	health := http.NewServeMux()
	health.HandleFunc("GET /healthz/ready", func(w http.ResponseWriter, r *http.Request) {
		// Ready is who answers, and between two sets of routes nobody does.
		probe, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://127.0.0.1"+statsPort+"/ready", nil)
		if err == nil {
			var answer *http.Response
			if answer, err = http.DefaultClient.Do(probe); err == nil {
				err = answer.Body.Close()
			}
		}
		if err != nil || s.draining.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	var servers []*http.Server
	stop = func() {
		for _, server := range servers {
			_ = server.Close()
		}
	}
	for address, handler := range map[string]http.Handler{envoyPort: stats, healthPort: health} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			stop()
			return nil, err
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: readHeaderTimeout}
		servers = append(servers, server)
		go func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				s.options.Log.Error("a side port stopped serving", "address", address, "error", err)
			}
		}()
	}
	return stop, nil
}
