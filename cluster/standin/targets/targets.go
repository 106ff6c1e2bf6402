// Package targets tells Prometheus which pods to scrape, over HTTP: a Prometheus
// that is built without the service discoveries of clouds and clusters knows no
// other way but files.
package targets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// headerTime bounds how long Prometheus may take to ask.
const headerTime = 5 * time.Second

// options say which pods are scraped, and where that is told.
type options struct {
	namespace, selector, listen string
	port                        int
}

// group is one of Prometheus' target groups.
type group struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// Main serves the targets in a pod until ctx ends.
func Main(ctx context.Context, args []string, _ io.Reader, _, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	cluster, err := kube.InCluster()
	if err == nil {
		err = serve(ctx, o, func(ctx context.Context) ([]corev1.Pod, error) {
			return cluster.Pods(ctx, o.namespace, o.selector)
		}, slog.New(slog.NewTextHandler(stderr, nil)))
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := pflag.NewFlagSet("targets", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.selector, "selector", "", "`LABELS` of the pods")
	flags.StringVar(&o.namespace, "namespace", "", "`NAMESPACE` of the pods")
	flags.IntVar(&o.port, "port", 0, "`PORT` that is scraped")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:9099", "`ADDR` to serve on")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.selector == "" || o.namespace == "" || o.port == 0 {
		return o, errors.New("--selector, --namespace and --port are needed")
	}
	return o, nil
}

func serve(ctx context.Context, o options, pods func(context.Context) ([]corev1.Pod, error), log *slog.Logger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(o, pods, log), ReadHeaderTimeout: headerTime}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// handler answers with the pods' addresses. If they cannot be listed it says so:
// Prometheus then goes on with those that it has.
func handler(o options, pods func(context.Context) ([]corev1.Pod, error), log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, err := pods(r.Context())
		if err != nil {
			log.Error("the pods cannot be listed", "error", err)
			http.Error(w, "the pods cannot be listed", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(groups(found, o.port)); err != nil {
			log.Error("the targets were not sent", "error", err)
		}
	})
}

// groups are the pods that run, with the labels that an operator of Prometheus
// gives them.
func groups(pods []corev1.Pod, port int) []group {
	found := []group{}
	for _, pod := range pods {
		if pod.Status.PodIP == "" || pod.Status.Phase != corev1.PodRunning {
			continue
		}
		found = append(found, group{
			Targets: []string{net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(port))},
			Labels:  map[string]string{"namespace": pod.Namespace, "pod": pod.Name},
		})
	}
	slices.SortFunc(found, func(a, b group) int { return cmp.Compare(a.Labels["pod"], b.Labels["pod"]) })
	return found
}
