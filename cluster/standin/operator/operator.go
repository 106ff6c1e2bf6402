// Package operator stands in for the operators of Kuadrant, Limitador and
// Authorino and for istiod: it makes of Gateways, routes and policies what these
// make of them, in one pod, with stand-ins as the workloads.
package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

const (
	// gathering is how long after a change others are waited for.
	gathering = 50 * time.Millisecond
	// again is when a pass that failed is repeated, and regularly when one is
	// repeated without any reason.
	again     = time.Second
	regularly = 30 * time.Second
	// healthPort serves /readyz.
	healthPort = ":8081"
	headerTime = 5 * time.Second
)

// options are what the operator gives its workloads.
type options struct {
	// image is that of our pods.
	image string
	// faults are those that a component shows, by its name.
	faults map[string][]string
	seed   uint64
}

// Main runs the operator in a pod until ctx ends and returns the exit code: 0, 1
// if it could not run, 2 if the arguments are wrong.
func Main(ctx context.Context, args []string, _ io.Reader, _, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	if err != nil {
		return fail(stderr, 2, err)
	}
	cluster, err := kube.InCluster()
	if err != nil {
		return fail(stderr, 1, err)
	}
	if err := run(ctx, cluster, o, slog.New(slog.NewTextHandler(stderr, nil))); err != nil {
		return fail(stderr, 1, err)
	}
	return 0
}

func fail(stderr io.Writer, code int, err error) int {
	// If not even the error can be told, the exit code still is.
	_, _ = fmt.Fprintln(stderr, err)
	return code
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{faults: map[string][]string{}}
	flags := pflag.NewFlagSet("operator", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.image, "image", "", "`IMAGE` of the stand-ins' pods")
	faults := flags.StringArray("fault", nil, "fault that a component shows (`COMPONENT:NAME`), repeatable")
	flags.Uint64Var(&o.seed, "fault-seed", 0, "seed of the faults that strike at random")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.image == "" {
		return o, errors.New("--image IMAGE is needed: that of this pod")
	}
	for _, fault := range *faults {
		component, called, ok := strings.Cut(fault, ":")
		if !ok || called == "" || component != "limitador" && component != "authorino" && component != "gateway" {
			return o, fmt.Errorf("--fault %q: want limitador:NAME, authorino:NAME or gateway:NAME", fault)
		}
		o.faults[component] = append(o.faults[component], called)
	}
	return o, nil
}

// run reconciles until ctx ends.
func run(ctx context.Context, cluster *kube.Cluster, o options, log *slog.Logger) error {
	var ready atomic.Bool
	stop, err := serveHealth(ctx, &ready, log)
	if err != nil {
		return err
	}
	defer stop()
	watched, err := watch(ctx, cluster.Dynamic)
	if err != nil {
		return err
	}
	ready.Store(true)
	remembered := written{}
	for {
		p := &pass{objects: watched, writer: server{cluster.Dynamic}, options: o, written: remembered, log: log, now: time.Now}
		next := regularly
		if err := p.run(ctx); err != nil && ctx.Err() == nil {
			log.Error("not everything is as it should be", "error", err)
			next = again
		}
		if !watched.wait(ctx, next) {
			return nil
		}
	}
}

// serveHealth serves the readiness probe.
func serveHealth(ctx context.Context, ready *atomic.Bool, log *slog.Logger) (stop func(), err error) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", healthPort)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTime}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("health is not served", "error", err)
		}
	}()
	return func() { _ = server.Close() }, nil
}
