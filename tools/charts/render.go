package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
)

// render gives the objects that installing the chart makes: CRDs, templates and
// hooks, except tests. The cluster is asked for nothing but its version and its
// kinds, on which charts depend; without a kubeconfig Helm's own are assumed.
func (h *helm) render(ctx context.Context) ([]*unstructured.Unstructured, error) {
	if err := missing(map[string]string{"release": h.chart.Release, "namespace": h.chart.Namespace}); err != nil {
		return nil, err
	}
	loaded, err := h.load(ctx)
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(h.logger)))
	install.DryRunStrategy, install.IncludeCRDs, install.Replace = action.DryRunClient, true, true
	install.ReleaseName, install.Namespace = h.chart.Release, h.chart.Namespace
	install.PostRenderer = h.images.renderer()
	if h.kubeconfig != "" {
		if err := h.askCapabilities(install); err != nil {
			return nil, err
		}
	}
	made, err := install.RunWithContext(ctx, loaded, h.chart.Values)
	if err != nil {
		return nil, err
	}
	rendered, ok := made.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("rendering gave a %T, not a release", made)
	}
	objects, err := decode(rendered.Manifest)
	if err != nil {
		return nil, fmt.Errorf("chart %s %s renders what is no object: %w", h.chart.Name, h.chart.Version, err)
	}
	for _, hook := range rendered.Hooks {
		if !slices.ContainsFunc(hook.Events, func(event release.HookEvent) bool { return event != release.HookTest }) {
			continue
		}
		hooked, err := decode(hook.Manifest)
		if err != nil {
			return nil, fmt.Errorf("hook %s of chart %s %s is no object: %w", hook.Name, h.chart.Name, h.chart.Version, err)
		}
		objects = append(objects, hooked...)
	}
	return objects, nil
}

func (h *helm) askCapabilities(install *action.Install) error {
	connected, err := h.configuration()
	if err != nil {
		return err
	}
	client, err := connected.RESTClientGetter.ToDiscoveryClient()
	if err != nil {
		return fmt.Errorf("connect Helm with the cluster: %w", err)
	}
	version, err := client.ServerVersion()
	if err != nil {
		return fmt.Errorf("ask the cluster for its version: %w", err)
	}
	if install.KubeVersion, err = common.ParseKubeVersion(version.GitVersion); err != nil {
		return fmt.Errorf("the cluster's version: %w", err)
	}
	kinds, err := action.GetVersionSet(client)
	// A group whose server is away is one that no chart can use.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return fmt.Errorf("ask the cluster for its kinds: %w", err)
	}
	install.APIVersions = kinds
	return nil
}

// decode reads YAML documents, those of lists one by one.
func decode(manifest string) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, err
		}
		switch {
		case len(object.Object) == 0:
		case object.IsList():
			list, err := object.ToList()
			if err != nil {
				return nil, err
			}
			for i := range list.Items {
				objects = append(objects, &list.Items[i])
			}
		case object.GetKind() == "" || object.GetAPIVersion() == "":
			return nil, errors.New("a document has no apiVersion or no kind")
		default:
			objects = append(objects, object)
		}
	}
}
