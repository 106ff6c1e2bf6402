package operator

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// manager owns the fields that are written here. It differs from kube's, so that
// what an installation applies to the same object stays.
const manager = "floodgate-operator-stand-in"

// reader shows the objects that are there.
type reader interface {
	all(r resource) []*unstructured.Unstructured
	get(r resource, namespace, name string) *unstructured.Unstructured
}

// writer changes objects.
type writer interface {
	apply(ctx context.Context, r resource, o *unstructured.Unstructured) (*unstructured.Unstructured, error)
	applyStatus(ctx context.Context, r resource, o *unstructured.Unstructured) error
	annotate(ctx context.Context, r resource, o *unstructured.Unstructured, name, value string) error
	remove(ctx context.Context, r resource, o *unstructured.Unstructured) error
}

// server writes to the API server.
type server struct{ client dynamic.Interface }

func (s server) of(r resource, o *unstructured.Unstructured) dynamic.ResourceInterface {
	return s.client.Resource(r.GroupVersionResource).Namespace(o.GetNamespace())
}

func (s server) apply(ctx context.Context, r resource, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	applied, err := s.of(r, o).Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err != nil {
		return nil, fmt.Errorf("apply %s: %w", kube.Name(o), err)
	}
	return applied, nil
}

func (s server) applyStatus(ctx context.Context, r resource, o *unstructured.Unstructured) error {
	_, err := s.of(r, o).Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: manager, Force: true}, "status")
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("status of %s: %w", kube.Name(o), err)
	}
	return nil
}

func (s server) annotate(ctx context.Context, r resource, o *unstructured.Unstructured, name, value string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{name: value}}})
	if err != nil {
		return err
	}
	_, err = s.of(r, o).Patch(ctx, o.GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("annotate %s: %w", kube.Name(o), err)
	}
	return nil
}

func (s server) remove(ctx context.Context, r resource, o *unstructured.Unstructured) error {
	background, uid := metav1.DeletePropagationBackground, o.GetUID()
	err := s.of(r, o).Delete(ctx, o.GetName(), metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &uid}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete %s: %w", kube.Name(o), err)
	}
	return nil
}

// written remembers what was applied last, by object, so that fields which are
// not wanted any more are taken back.
type written map[string][sha256.Size]byte

// ensure applies an object unless it is there as it is wanted, and returns it as
// it is then.
func (p *pass) ensure(ctx context.Context, wanted *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	r, ok := resourceOf(wanted)
	if !ok {
		return nil, fmt.Errorf("%s: no such kind here", kube.Name(wanted))
	}
	text, err := wanted.MarshalJSON()
	if err != nil {
		return nil, err
	}
	key, sum := kube.Name(wanted), sha256.Sum256(text)
	live := p.objects.get(r, wanted.GetNamespace(), wanted.GetName())
	if live != nil && p.written[key] == sum && covers(live.Object, wanted.Object) {
		return live, nil
	}
	applied, err := p.writer.apply(ctx, r, wanted)
	if err != nil {
		return nil, err
	}
	p.written[key] = sum
	if live == nil || live.GetResourceVersion() != applied.GetResourceVersion() {
		p.log.Info("applied", "object", key)
	}
	return applied, nil
}

// drop deletes an object that is not wanted any more, if it is there.
func (p *pass) drop(ctx context.Context, r resource, o *unstructured.Unstructured) error {
	if o == nil || o.GetDeletionTimestamp() != nil {
		return nil
	}
	delete(p.written, kube.Name(o))
	p.log.Info("deleted", "object", kube.Name(o))
	return p.writer.remove(ctx, r, o)
}
