package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// replaceAttempts is how often a replacement is tried that somebody else's change
// came before.
const replaceAttempts = 5

// Replace makes an object what it is given as, but for its status: unlike after
// Apply, nothing is left of what another manager has said. One that is not there
// is made.
func (c *Cluster) Replace(ctx context.Context, object *unstructured.Unstructured) error {
	resource, err := c.resource(object)
	if err != nil {
		return err
	}
	for range replaceAttempts {
		wanted := Bare(object)
		var live *unstructured.Unstructured
		live, err = resource.Get(ctx, object.GetName(), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			if _, err = resource.Create(ctx, wanted, metav1.CreateOptions{FieldManager: FieldManager}); err == nil {
				return nil
			}
		} else if err == nil {
			// Finalizers and owners are the cluster's, and the status is kept where it
			// is a part of the object.
			wanted.SetResourceVersion(live.GetResourceVersion())
			wanted.SetFinalizers(live.GetFinalizers())
			wanted.SetOwnerReferences(live.GetOwnerReferences())
			if status, ok := live.Object["status"]; ok {
				wanted.Object["status"] = status
			}
			if _, err = resource.Update(ctx, wanted, metav1.UpdateOptions{FieldManager: FieldManager}); err == nil {
				return nil
			}
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			break
		}
	}
	return fmt.Errorf("replace %s: %w", Name(object), err)
}

// Bare is a copy of an object without what the API server keeps of it.
func Bare(object *unstructured.Unstructured) *unstructured.Unstructured {
	bare := object.DeepCopy()
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "ownerReferences", "finalizers", "deletionTimestamp", "deletionGracePeriodSeconds"} {
		unstructured.RemoveNestedField(bare.Object, "metadata", field)
	}
	delete(bare.Object, "status")
	return bare
}
