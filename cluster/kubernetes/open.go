package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/standin/journal"
)

// The components' names, as cluster/local's.
const (
	limiterName    = "limitador"
	authorizerName = "authorino"
	gatewayName    = "gateway"
	modelName      = "llmd"
	prometheusName = "prometheus"
)

// askPatience bounds the question whether the authorizer can be asked.
const askPatience = 15 * time.Second

// Setting is what Open makes a system of.
type Setting struct {
	// Provider is the name that the stack gets.
	Provider string
	Site     Site
	Rights   Rights
	// State is the private folder, see PrivateFolder. Down removes it.
	State    string
	Variants map[string]VariantFiles
	Options  cluster.Options
	// Declared names the weaknesses that whoever set the system up knows of.
	Declared []string
	// Shared says that others may use it.
	Shared bool
}

// Open puts the variants into the cluster that are to be made, waits until each
// is in force by evidence, and returns the system. What it made is taken back
// when it fails. The caller has made the private folder; it is removed with the
// system.
func Open(ctx context.Context, c *kube.Cluster, setting Setting) (*System, error) {
	if setting.Rights == nil {
		setting.Rights = Rights{}
	}
	st := state{
		Provider: setting.Provider, Run: runName(setting.Options.RunDir), Site: setting.Site, Rights: setting.Rights,
		RunDir: setting.Options.RunDir, Image: setting.Options.Kubernetes.Image,
	}
	s := newSystem(c, setting.State, st, setting.Options.Progress)
	s.opener = true
	if err := s.open(ctx, setting); err != nil {
		return nil, errors.Join(err, s.Down(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *System) open(ctx context.Context, setting Setting) error {
	options := setting.Options.Kubernetes
	if err := keepKubeconfig(options.Kubeconfig, options.Context, s.dir); err != nil {
		return err
	}
	// Written before anything is changed: what a killed run has left is found by
	// this folder.
	if err := s.state.write(s.dir); err != nil {
		return err
	}
	s.up = cluster.Stack{Provider: setting.Provider, State: s.dir, Variants: map[string]cluster.Variant{}, Declared: setting.Declared, Shared: setting.Shared}
	kept := s.choose(setting.Variants)
	for name, files := range kept {
		s.sets[name] = files.Set
		s.up.Variants[name] = cluster.Variant{Name: name, Dir: files.Dir, UserLabel: userLabel(files.Set, options.UserLabel)}
	}
	made, making := errgroup.WithContext(ctx)
	for name, files := range kept {
		if files.Make {
			made.Go(func() error { return s.make(making, name, files) })
		}
	}
	if err := made.Wait(); err != nil {
		return err
	}
	if err := s.shared(ctx, options); err != nil {
		return err
	}
	if err := s.addresses(ctx, options); err != nil {
		return err
	}
	if s.state.Image == "" {
		s.state.Image = s.podImage(ctx)
	}
	if err := s.state.write(s.dir); err != nil {
		return err
	}
	if err := s.awaitReadiness(ctx); err != nil {
		return err
	}
	s.describe(ctx)
	s.watch(ctx)
	return nil
}

// podImage is the image of our own pods where the limiter is one of them, ""
// elsewhere.
func (s *System) podImage(ctx context.Context) string {
	limiter := s.state.Site.Limiter
	if limiter == nil {
		return ""
	}
	pods, err := s.cluster.Pods(ctx, limiter.Namespace, limiter.Selector+","+StandInLabel+"=true")
	if err != nil || len(pods) == 0 {
		return ""
	}
	return pods[0].Spec.Containers[0].Image
}

// choose leaves out what the site or the rights do not allow.
func (s *System) choose(variants map[string]VariantFiles) map[string]VariantFiles {
	kept := map[string]VariantFiles{}
	for name, files := range variants {
		switch err := s.state.Rights.Lacks(MakeVariants); {
		case files.RateLimitHeaders && !s.state.Site.RateLimitHeaders:
			s.progress.line("variant %s is left out: all variants share the limiter, which sends no rate-limit headers", name)
		case files.Make && err != nil:
			s.progress.line("variant %s is left out: the run %v", name, err)
		default:
			kept[name] = files
		}
	}
	return kept
}

// userLabel is the label of the limiter's metrics that names the caller: on a
// cluster only a TelemetryPolicy, or a fork of the limiter, makes one.
func userLabel(set *policy.Set, given string) string {
	if given != "" {
		return given
	}
	if len(set.Telemetry()) == 0 {
		return ""
	}
	_, label := probe.MetricLabels(set)
	return label
}

// shared finds the addresses of what all variants share.
func (s *System) shared(ctx context.Context, options cluster.KubernetesOptions) error {
	site := s.state.Site
	s.up.Prometheus = strings.TrimRight(options.Prometheus, "/")
	if s.up.Prometheus == "" && site.Prometheus != nil {
		forward, err := s.forward(ctx, s.cluster.ReadyPod(site.Prometheus.Namespace, site.Prometheus.Selector), site.Prometheus.Port)
		if err != nil {
			return err
		}
		s.up.Prometheus = "http://" + forward
	}
	backend, journalURL := strings.TrimRight(options.Backend, "/"), options.Journal
	if backend == "" && site.Model != nil {
		var err error
		if backend, err = s.backend(ctx, *site.Model); err != nil {
			return err
		}
		if backend != "" && site.Journal && journalURL == "" {
			journalURL = backend + journal.Path
		}
	}
	limiters, instances, err := s.limiterAddresses(ctx, options)
	if err != nil {
		return err
	}
	authorizer := options.Authorizer
	if authorizer == "" && s.authorizers != nil && s.mayForward() {
		addresses, _, err := s.authorizers.addresses(ctx)
		if err != nil {
			return &cluster.StartError{Component: authorizerName, Waiting: "a ready pod", Cause: err}
		}
		authorizer = addresses[0]
	}
	asking, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	if authorizer == "" || probe.Reachable(asking, authorizer) != nil {
		s.state.Settle = true
		s.progress.line("the authorizer cannot be asked: %s pass after each new identity instead", settleTime)
		authorizer = ""
	}
	for name, v := range s.up.Variants {
		v.Backend, v.Journal, v.Limiters, v.Authorizer = backend, journalURL, limiters, authorizer
		if s.up.Prometheus != "" {
			v.PrometheusInstances = instances
		}
		s.up.Variants[name] = v
	}
	return nil
}

// limiterAddresses are each limiter's base URL and the instance label that
// Prometheus gives it, which is its pod's address.
func (s *System) limiterAddresses(ctx context.Context, options cluster.KubernetesOptions) (urls, instances []string, err error) {
	if len(options.LimiterAdmin) > 0 {
		for _, base := range options.LimiterAdmin {
			urls = append(urls, strings.TrimRight(base, "/"))
		}
	}
	if s.limiters == nil || !s.mayForward() {
		return urls, nil, nil
	}
	addresses, pods, err := s.limiters.addresses(ctx)
	if err != nil {
		return nil, nil, &cluster.StartError{Component: limiterName, Waiting: "a ready pod", Cause: err}
	}
	for i, address := range addresses {
		if len(options.LimiterAdmin) == 0 {
			urls = append(urls, "http://"+address)
		}
		instances = append(instances, net.JoinHostPort(pods[i].Status.PodIP, fmt.Sprint(limiterPort)))
	}
	return urls, instances, nil
}

// backend is the base URL of the model server, or of the journal before it. Of
// several pods each knows a part of what was served, which is no book.
func (s *System) backend(ctx context.Context, w Workload) (string, error) {
	if !s.mayForward() {
		return "", nil
	}
	pods, err := s.cluster.Pods(ctx, w.Namespace, w.Selector)
	if err != nil {
		return "", err
	}
	if len(pods) != 1 {
		s.progress.line("%d pods serve the model: there is no book of the backend", len(pods))
		return "", nil
	}
	address, err := s.forward(ctx, s.cluster.ReadyPod(w.Namespace, w.Selector), w.Port)
	if err != nil {
		return "", err
	}
	return "http://" + address, nil
}

// mayForward tells whether ports of pods may be forwarded.
func (s *System) mayForward() bool { return s.state.Rights.Lacks(Forwards) == nil }

// forward opens an address that stays until Down.
func (s *System) forward(ctx context.Context, pick kube.Pick, port int) (string, error) {
	f, err := s.cluster.Forward(ctx, pick, port)
	if err != nil {
		return "", err
	}
	s.forwards = append(s.forwards, f)
	return f.Addr(), nil
}

// Instances are the addresses of the limiter pods that serve now, which are the
// instance labels that Prometheus gives their series.
func (s *System) Instances(ctx context.Context, variant string) ([]string, error) {
	if _, err := s.variant(variant); err != nil {
		return nil, err
	}
	_, instances, err := s.limiterAddresses(ctx, cluster.KubernetesOptions{})
	return instances, err
}

// Limiters are the base URLs of each limiter pod's HTTP API now. All variants
// share them.
func (s *System) Limiters(ctx context.Context, variant string) ([]string, error) {
	if _, err := s.variant(variant); err != nil {
		return nil, err
	}
	if err := s.needs("limiter", s.state.Site.Limiter); err != nil {
		return nil, err
	}
	addresses, _, err := s.limiters.addresses(ctx)
	if err != nil {
		return nil, err
	}
	for i := range addresses {
		addresses[i] = "http://" + addresses[i]
	}
	return slices.Clip(addresses), nil
}
