package kubernetes

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// apiKeyEntry is the entry of a Secret that the authorizer takes as the key
// (sut.md 1.2).
const apiKeyEntry = "api_key"

// WritePolicies writes the manifests of the policies of a site's Gateway into a
// folder, which it makes and which only its owner can read: the Gateway, its
// routes, the policies that act on them, the Kuadrant object, and the Secrets
// that the AuthPolicies select, as far as these may be read. withoutKeys says
// why there are none. Secrets of earlier runs of ours are left out.
func WritePolicies(ctx context.Context, c *kube.Cluster, site Site, dir string) (withoutKeys, err error) {
	if site.Gateway == "" {
		return nil, fmt.Errorf("there are no policies to read: %s", site.Missing["gateway"])
	}
	d := &discovery{cluster: c, site: site}
	objects, err := d.policies(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policies of Gateway %s: %w", site.Gateway, err)
	}
	secrets, withoutKeys := d.secrets(ctx, objects)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("write policies: %w", err)
	}
	for i, o := range append(objects, secrets...) {
		text, err := yaml.Marshal(manifest(o).Object)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d-%s.yaml", i, strings.ToLower(o.GetKind()))), text, 0o600)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", kube.Name(o), err)
		}
	}
	return withoutKeys, nil
}

func (d *discovery) policies(ctx context.Context) ([]*unstructured.Unstructured, error) {
	namespace, name, _ := strings.Cut(d.site.Gateway, "/")
	gateway, err := d.cluster.Get(ctx, Resource{gatewayKind.GroupVersion().String(), gatewayKind.Kind, namespace, name}.object())
	if err != nil {
		return nil, err
	}
	objects := []*unstructured.Unstructured{gateway}
	list := func(kind schema.GroupVersionKind, wanted func(*unstructured.Unstructured) bool) error {
		all, err := d.cluster.List(ctx, kind, "", "")
		if err != nil {
			return err
		}
		for i := range all {
			if wanted(&all[i]) {
				objects = append(objects, &all[i])
			}
		}
		return nil
	}
	for _, kind := range []schema.GroupVersionKind{httpRouteKind, grpcRouteKind} {
		if err := list(kind, func(o *unstructured.Unstructured) bool { return slices.Contains(parentsOf(o), d.site.Gateway) }); err != nil {
			return nil, err
		}
	}
	for _, kind := range policyKinds() {
		err := list(kind, func(o *unstructured.Unstructured) bool {
			// What an operator makes of another policy is in that one already.
			return metav1.GetControllerOf(o) == nil && slices.Contains(d.gatewaysOf(ctx, o), d.site.Gateway)
		})
		if err != nil {
			return nil, err
		}
	}
	if d.site.Namespace != "" {
		err := list(kuadrantKind, func(o *unstructured.Unstructured) bool { return o.GetNamespace() == d.site.Namespace })
		if err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// secrets are the Secrets that AuthPolicies select, with their key alone.
func (d *discovery) secrets(ctx context.Context, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var found []*unstructured.Unstructured
	var errs []error
	seen := map[string]bool{}
	for _, o := range objects {
		if o.GetKind() != authPolicyKind.Kind {
			continue
		}
		for _, wanted := range apiKeys(o.Object["spec"]) {
			namespace := d.site.Namespace
			if wanted.all {
				namespace = ""
			}
			list, err := d.cluster.Client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: wanted.selector})
			if err != nil {
				errs = append(errs, err)
				continue
			}
			for _, secret := range list.Items {
				if name := secret.Namespace + "/" + secret.Name; !seen[name] && secret.Labels[RunLabel] == "" {
					seen[name] = true
					found = append(found, keySecret(secret))
				}
			}
		}
	}
	return found, errors.Join(errs...)
}

func keySecret(secret corev1.Secret) *unstructured.Unstructured {
	o := Resource{"v1", "Secret", secret.Namespace, secret.Name}.object()
	o.SetLabels(secret.Labels)
	o.SetAnnotations(secret.Annotations)
	o.SetCreationTimestamp(secret.CreationTimestamp)
	o.Object["type"] = string(secret.Type)
	if key, ok := secret.Data[apiKeyEntry]; ok {
		o.Object["data"] = map[string]any{apiKeyEntry: base64.StdEncoding.EncodeToString(key)}
	}
	return o
}

// keySelector is what an AuthPolicy's apiKey selects.
type keySelector struct {
	selector string
	all      bool
}

// apiKeys are the selectors of all apiKey fields, at any depth.
func apiKeys(node any) []keySelector {
	var found []keySelector
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			found = append(found, apiKeys(item)...)
		}
	case map[string]any:
		for name, value := range node {
			inner, ok := value.(map[string]any)
			if name != "apiKey" || !ok {
				found = append(found, apiKeys(value)...)
				continue
			}
			var selector metav1.LabelSelector
			given, _ := inner["selector"].(map[string]any)
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(given, &selector); err != nil {
				continue
			}
			all, _ := inner["allNamespaces"].(bool)
			found = append(found, keySelector{metav1.FormatLabelSelector(&selector), all})
		}
	}
	return found
}

// manifest is an object as somebody would apply it. Its age stays, because the
// age of policies decides between them.
func manifest(o *unstructured.Unstructured) *unstructured.Unstructured {
	created := o.GetCreationTimestamp()
	bare := kube.Bare(o)
	if !created.IsZero() {
		bare.SetCreationTimestamp(created)
	}
	notes := bare.GetAnnotations()
	delete(notes, corev1.LastAppliedConfigAnnotation)
	bare.SetAnnotations(notes)
	return bare
}
