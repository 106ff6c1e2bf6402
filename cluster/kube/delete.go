package kube

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// DeleteExactly deletes an object that was read, and no other that has come in
// its place since, and does not wait for its end. A workload goes after its pods;
// custom resources do not, since the garbage collector learns of a new kind only
// every 30 s and would hold them until then.
func (c *Cluster) DeleteExactly(ctx context.Context, read *unstructured.Unstructured) error {
	resource, err := c.resource(read)
	if Missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	policy, uid := metav1.DeletePropagationBackground, read.GetUID()
	if group := read.GroupVersionKind().Group; group == "apps" || group == "batch" {
		policy = metav1.DeletePropagationForeground
	}
	err = resource.Delete(ctx, read.GetName(), metav1.DeleteOptions{PropagationPolicy: &policy, Preconditions: &metav1.Preconditions{UID: &uid}})
	// A conflict says that the one which was read is gone.
	if err != nil && !Missing(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete %s: %w", Name(read), err)
	}
	return nil
}

// HeldBy says what keeps an object that is being deleted: its finalizers, and
// what its status says about its content.
func HeldBy(object *unstructured.Unstructured) string {
	var parts []string
	if names := object.GetFinalizers(); len(names) > 0 {
		parts = append(parts, "finalizers "+strings.Join(names, ", "))
	}
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, item := range list {
		condition, _ := item.(map[string]any)
		kind, _ := condition["type"].(string)
		message, _ := condition["message"].(string)
		if condition["status"] == "True" && message != "" &&
			(kind == "Terminating" || strings.HasPrefix(kind, "NamespaceDeletion") || strings.HasPrefix(kind, "NamespaceContent") || strings.HasPrefix(kind, "NamespaceFinalizers")) {
			parts = append(parts, plain(message))
		}
	}
	if len(parts) == 0 {
		return "nothing that it names"
	}
	return strings.Join(parts, "; ")
}
