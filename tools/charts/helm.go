package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/kube"
	"k8s.io/client-go/tools/clientcmd"
)

// helm is Helm's library for one request, apart from the user's own Helm: it
// has no repositories, plugins or caches, and leaves nothing behind.
type helm struct {
	chart      Chart
	kubeconfig string
	images     images
	settings   *cli.EnvSettings
	dir        string
	logger     slog.Handler
}

func open(request Request) (*helm, error) {
	dir, err := os.MkdirTemp("", "floodgate-charts-")
	if err != nil {
		return nil, err
	}
	logger := slog.NewTextHandler(cleaned{os.Stderr, newRedactor(request)}, &slog.HandlerOptions{Level: slog.LevelDebug})
	h := &helm{chart: request.Chart, kubeconfig: request.Kubeconfig, images: request.Images, dir: dir, logger: failures{logger}}
	if err := h.isolate(); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *helm) close() { _ = os.RemoveAll(h.dir) }

// isolate keeps the user's settings of Helm out. Only credentials for registries
// are theirs: a mirror may want them.
func (h *helm) isolate() error {
	credentials := cli.New().RegistryConfig
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "HELM_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	for name, value := range map[string]string{
		"HELM_CONFIG_HOME": "config", "HELM_CACHE_HOME": "cache", "HELM_DATA_HOME": "data", "KUBECACHEDIR": "kube",
	} {
		if err := os.Setenv(name, filepath.Join(h.dir, value)); err != nil {
			return err
		}
	}
	// Managed fields otherwise carry the name of the executable's file.
	kube.ManagedFieldsManager = "helm"
	slog.SetDefault(slog.New(h.logger))
	h.settings = cli.New()
	h.settings.RegistryConfig = credentials
	h.settings.KubeConfig = h.kubeconfig
	h.settings.SetNamespace(h.chart.Namespace)
	return nil
}

// configuration connects Helm's actions with the cluster.
func (h *helm) configuration() (*action.Configuration, error) {
	if h.kubeconfig == "" {
		return nil, errors.New("no kubeconfig was given")
	}
	if err := missing(map[string]string{"release": h.chart.Release, "namespace": h.chart.Namespace}); err != nil {
		return nil, err
	}
	// What is wrong in it is not said: the message would quote it.
	if _, err := clientcmd.LoadFromFile(h.kubeconfig); err != nil {
		if os.IsNotExist(err) {
			return nil, fmt.Errorf("kubeconfig %s is not there", h.kubeconfig)
		}
		return nil, fmt.Errorf("kubeconfig %s cannot be read as one", h.kubeconfig)
	}
	c := action.NewConfiguration(action.ConfigurationSetLogger(h.logger))
	if err := c.Init(h.settings.RESTClientGetter(), h.chart.Namespace, "secret"); err != nil {
		return nil, fmt.Errorf("connect Helm with the cluster: %w", err)
	}
	return c, nil
}

// missing names what a request lacks.
func missing(fields map[string]string) error {
	var errs []error
	for name, value := range fields {
		if value == "" {
			errs = append(errs, fmt.Errorf("the chart's %s is not given", name))
		}
	}
	return errors.Join(errs...)
}

// failures lets records through that tell of one: some of Helm's errors say only
// that something failed and log the cause, as unimportant as it can be.
type failures struct{ slog.Handler }

func (f failures) Handle(ctx context.Context, record slog.Record) error {
	failed := record.Level >= slog.LevelWarn
	record.Attrs(func(attribute slog.Attr) bool {
		failed = failed || attribute.Key == "error" && !strings.HasPrefix(record.Message, "ignoring")
		return !failed
	})
	if !failed {
		return nil
	}
	return f.Handler.Handle(ctx, record)
}

func (f failures) WithAttrs(attributes []slog.Attr) slog.Handler {
	return failures{f.Handler.WithAttrs(attributes)}
}

func (f failures) WithGroup(name string) slog.Handler { return failures{f.Handler.WithGroup(name)} }
