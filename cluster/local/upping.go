package local

import (
	"cmp"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/standin/journal"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
)

// upping is a stack on its way up.
type upping struct {
	options cluster.Options
	stack   *stack
	reader  *metrics.Reader
	// state is the private folder.
	state    string
	variants []*variant
	// versions are those of the real programs, by component.
	versions map[string]string
	// backend is what gateways forward to, prometheus its API.
	backend, prometheus string
}

// variant is one policy on its way up.
type variant struct {
	name  string
	set   *policy.Set
	files variantFiles
	// headers makes the limiter send rate-limit headers.
	headers bool
	// limitNames makes its metrics name the limit that refused.
	limitNames bool
	// windowModel is how the stand-in for the limiter counts.
	windowModel string
	// interfered has the gateway call its services through proxies.
	interfered bool
	// failures are how its own model server fails, which is backend; none for the
	// shared one.
	failures []string
	backend  string
	// scalable makes limiter and gateway the first of several.
	scalable bool
	// limiters and gateways are how many there are from the start, limiters in one
	// process over one store.
	limiters, gateways int
	// limiter is host:port of the limiter's gRPC, or the file that says it.
	limiter string
	up      cluster.Variant
}

// everything starts what does not need one another side by side: the shared
// backend with limiters and authorizers, then the gateways with Prometheus.
func (u *upping) everything(ctx context.Context) error {
	program, err := u.prometheusProgram(ctx)
	if err != nil {
		return err
	}
	for _, component := range []string{limiter, modelServer} {
		if given := u.options.Programs[component]; given != "" {
			u.versions[component] = versionOf(ctx, given)
		}
	}
	for _, spec := range u.options.Variants {
		if err := u.prepare(spec); err != nil {
			return err
		}
	}
	first, firstCtx := errgroup.WithContext(ctx)
	first.Go(func() error { return u.startBackend(firstCtx) })
	for _, v := range u.variants {
		first.Go(func() error { return u.startLimiter(firstCtx, v) })
		first.Go(func() error { return u.startAuthorizer(firstCtx, v) })
		if len(v.failures) > 0 {
			first.Go(func() error { return u.startOwnModel(firstCtx, v, v.failures) })
		}
	}
	if err := first.Wait(); err != nil {
		return err
	}
	second, secondCtx := errgroup.WithContext(ctx)
	for _, v := range u.variants {
		second.Go(func() error { return u.startGateway(secondCtx, v) })
	}
	if program != "" {
		second.Go(func() error { return u.startPrometheus(secondCtx, program) })
	}
	if err := second.Wait(); err != nil {
		return err
	}
	if death, ok := u.stack.firstDeath(); ok {
		return &cluster.StartError{Component: death.Component, Log: death.Log, Cause: death.Cause}
	}
	return nil
}

// prepare reads a variant's policy and writes what its components read.
func (u *upping) prepare(spec cluster.VariantSpec) error {
	set, err := policy.Read(spec.Dir)
	if err != nil {
		return fmt.Errorf("variant %s: %w", spec.Name, err)
	}
	files, err := filesOf(u.state, spec.Name, spec.LimiterFailureMode)
	if err != nil {
		return err
	}
	if err := files.write(set); err != nil {
		return fmt.Errorf("variant %s: %w", spec.Name, err)
	}
	limiters := max(1, u.options.Limiters)
	if spec.Interfered {
		limiters = 1
	}
	u.variants = append(u.variants, &variant{
		name: spec.Name, set: set, files: files, headers: spec.RateLimitHeaders, limitNames: spec.LimitNames,
		windowModel: cmp.Or(spec.WindowModel, u.options.WindowModel),
		interfered:  spec.Interfered, scalable: spec.Scalable, failures: spec.ModelFailures,
		limiters: limiters, gateways: max(1, u.options.Gateways),
		up: cluster.Variant{
			Name: spec.Name, Dir: spec.Dir, WindowModel: spec.WindowModel, GatewayRetries: spec.GatewayRetries, Services: servicesOf(files.gatewayConfig(set)),
		},
	})
	return nil
}

// described is the stack as it is up.
func (u *upping) described(provider string) cluster.Stack {
	up := cluster.Stack{
		Provider: provider, Components: u.stack.components(), Variants: map[string]cluster.Variant{},
		Prometheus: u.prometheus, State: u.state, Declared: weakness.ByDesign(),
	}
	for _, v := range u.variants {
		// Where the journal is, the backend says which hits it served.
		v.up.Backend, v.up.Journal = u.backendOf(v), u.backendOf(v)+journal.Path
		if u.prometheus == "" {
			v.up.PrometheusInstances = nil
		}
		up.Variants[v.name] = v.up
	}
	return up
}

// part begins the description of a component.
func (u *upping) part(component, variant string) part {
	p := part{
		name: componentName(component, variant), standIn: component, faults: u.options.Faults[component],
		manners: u.options.Manners[component],
		fixed:   variant == mainVariant, stop: terminate,
	}
	if program := u.options.Programs[component]; program != "" {
		p.program, p.standIn, p.version = program, "", u.versions[component]
	}
	return p
}

// faultArgs are a stand-in's arguments for its faults and manners.
func (u *upping) faultArgs(p part) []string {
	var args []string
	for _, fault := range p.faults {
		args = append(args, "--fault", fault)
	}
	for _, manner := range p.manners {
		args = append(args, "--manner", manner)
	}
	if len(args) > 0 {
		args = append(args, "--fault-seed", fmt.Sprint(uint64(u.options.Seed)))
	}
	return args
}
