package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/e2e-framework/klient/k8s"
)

// Decode reads manifests: YAML documents or JSON, lists taken apart, empty
// documents left out.
func Decode(text []byte) ([]*unstructured.Unstructured, error) {
	reader := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	var objects []*unstructured.Unstructured
	for n := 1; ; n++ {
		var raw runtime.RawExtension
		err := reader.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		var content map[string]any
		if err == nil && len(raw.Raw) > 0 {
			// The API's own decoder keeps whole numbers whole.
			err = utiljson.Unmarshal(raw.Raw, &content)
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		if len(content) == 0 {
			continue
		}
		object := &unstructured.Unstructured{Object: content}
		if object.GetKind() == "" || object.GetAPIVersion() == "" {
			return nil, fmt.Errorf("document %d: apiVersion and kind are needed", n)
		}
		if !object.IsList() {
			objects = append(objects, object)
			continue
		}
		err = object.EachListItem(func(item runtime.Object) error {
			single, ok := item.(*unstructured.Unstructured)
			if !ok {
				return fmt.Errorf("document %d: an item is no object", n)
			}
			objects = append(objects, single)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
}

// Apply makes the cluster have the object, by server-side apply as
// FieldManager, and takes fields over that somebody else owns.
func (c *Cluster) Apply(ctx context.Context, object *unstructured.Unstructured) error {
	text, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("apply %s: %w", Name(object), err)
	}
	// The client writes the answer into its argument.
	answer := object.DeepCopy()
	err = c.objects.Patch(ctx, answer, k8s.Patch{PatchType: types.ApplyPatchType, Data: text}, asManager)
	if err != nil {
		return fmt.Errorf("apply %s: %w", Name(object), err)
	}
	return nil
}

func asManager(o *metav1.PatchOptions) {
	force := true
	o.FieldManager, o.Force = FieldManager, &force
}

// Merge applies a JSON merge patch to an object that is there.
func (c *Cluster) Merge(ctx context.Context, object *unstructured.Unstructured, patch map[string]any) error {
	text, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("patch %s: %w", Name(object), err)
	}
	answer := object.DeepCopy()
	if err := c.objects.Patch(ctx, answer, k8s.Patch{PatchType: types.MergePatchType, Data: text}); err != nil {
		return fmt.Errorf("patch %s: %w", Name(object), err)
	}
	return nil
}

// Delete deletes an object and what it owns, and does not wait for its end. An
// object or a kind that is not there is no error.
func (c *Cluster) Delete(ctx context.Context, object *unstructured.Unstructured) error {
	resource, err := c.resource(object)
	if meta.IsNoMatchError(err) {
		return nil
	}
	if err != nil {
		return err
	}
	policy := metav1.DeletePropagationBackground
	err = resource.Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &policy})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s: %w", Name(object), err)
	}
	return nil
}

// Gone tells whether an object, or its kind, is not there.
func (c *Cluster) Gone(ctx context.Context, object *unstructured.Unstructured) (bool, error) {
	_, err := c.Get(ctx, object)
	if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
		return true, nil
	}
	return false, err
}

// List reads all objects of a kind in a namespace, "" meaning all, that have
// the labels of a selector, "" meaning any. A kind that the server does not
// know has no objects.
func (c *Cluster) List(ctx context.Context, kind schema.GroupVersionKind, namespace, selector string) ([]unstructured.Unstructured, error) {
	probe := &unstructured.Unstructured{}
	probe.SetGroupVersionKind(kind)
	probe.SetNamespace(namespace)
	resource, err := c.resource(probe)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := resource.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", kind.Kind, err)
	}
	return list.Items, nil
}
