package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ErrFinal is wrapped by the answer of a condition that no waiting changes.
var ErrFinal = errors.New("waiting does not change this")

// Check asks a cluster once whether something is so: nil, or what is missing.
type Check func(ctx context.Context, c *Cluster) error

// DeploymentAvailable holds when the rollout of a Deployment's last change has
// ended: every replica is new and available, and no pod of before is left. A
// fresh Kuadrant changes its Deployments twice within two seconds, so that the
// first available pod proves nothing (vectors of the cluster, surprise 5).
func DeploymentAvailable(namespace, name string) Check {
	return func(ctx context.Context, c *Cluster) error {
		d, err := c.Client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		want := int32(1)
		if d.Spec.Replicas != nil {
			want = *d.Spec.Replicas
		}
		switch s := d.Status; {
		case s.ObservedGeneration < d.Generation:
			return fmt.Errorf("its controller has seen change %d of %d", s.ObservedGeneration, d.Generation)
		case s.UpdatedReplicas != want:
			return fmt.Errorf("%d of %d replicas are of the last change", s.UpdatedReplicas, want)
		case s.AvailableReplicas < want:
			return fmt.Errorf("%d of %d replicas are available", s.AvailableReplicas, want)
		case s.Replicas != want:
			return fmt.Errorf("%d replicas, %d of them of before the last change", s.Replicas, s.Replicas-want)
		}
		return c.noneEnding(ctx, d)
	}
}

// noneEnding looks at the pods by their owner: selectors of operators overlap
// (vectors of the cluster, surprise 1).
func (c *Cluster) noneEnding(ctx context.Context, d *appsv1.Deployment) error {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return fmt.Errorf("its selector: %w", err)
	}
	sets, err := c.Client.AppsV1().ReplicaSets(d.Namespace).List(ctx, listOptions(selector.String()))
	if err != nil {
		return err
	}
	owned := map[string]bool{}
	for _, set := range sets.Items {
		if metav1.IsControlledBy(&set, d) {
			owned[string(set.UID)] = true
		}
	}
	pods, err := c.Client.CoreV1().Pods(d.Namespace).List(ctx, listOptions(selector.String()))
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		owner := metav1.GetControllerOf(&pod)
		if pod.DeletionTimestamp != nil && owner != nil && owned[string(owner.UID)] {
			return fmt.Errorf("pod %s of before the last change is still ending", pod.Name)
		}
	}
	return nil
}

// JobComplete holds when a Job has completed. A Job that failed is final.
func JobComplete(namespace, name string) Check {
	return func(ctx context.Context, c *Cluster) error {
		job, err := c.Client.BatchV1().Jobs(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range job.Status.Conditions {
			if condition.Status != corev1.ConditionTrue {
				continue
			}
			//nolint:exhaustive // only these two say how a Job ended
			switch condition.Type {
			case batchv1.JobComplete:
				return nil
			case batchv1.JobFailed:
				return fmt.Errorf("it failed: %s: %s; %w", condition.Reason, plain(condition.Message), ErrFinal)
			}
		}
		return fmt.Errorf("%d pods are active, %d succeeded, %d failed", job.Status.Active, job.Status.Succeeded, job.Status.Failed)
	}
}

// CRDEstablished holds when the API server serves a custom resource of the
// definition's name, such as gateways.gateway.networking.k8s.io.
func CRDEstablished(name string) Check {
	return func(ctx context.Context, c *Cluster) error {
		crd := &unstructured.Unstructured{}
		crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		crd.SetName(name)
		found, err := c.Get(ctx, crd)
		if err != nil {
			return err
		}
		for _, kind := range []string{"NamesAccepted", "Established"} {
			if err := conditionIs(found, kind, "True"); err != nil {
				return err
			}
		}
		// The API server serves it a moment after it says so.
		group, _, _ := unstructured.NestedString(found.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(found.Object, "spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(found.Object, "spec", "versions")
		for _, item := range versions {
			version, _ := item.(map[string]any)
			if served, _ := version["served"].(bool); !served {
				continue
			}
			number, _ := version["name"].(string)
			probe := &unstructured.Unstructured{}
			probe.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: number, Kind: kind})
			if _, err := c.resource(probe); err != nil {
				return err
			}
		}
		return nil
	}
}

// Exists holds when the object of the kind, namespace and name is there and not
// being deleted.
func Exists(object *unstructured.Unstructured) Check {
	return func(ctx context.Context, c *Cluster) error {
		found, err := c.Get(ctx, object)
		if err != nil {
			return err
		}
		if found.GetDeletionTimestamp() != nil {
			return errors.New("it is being deleted")
		}
		return nil
	}
}

// StatusCondition holds when a condition has a status ("True") and was written
// for the object as it is now.
func StatusCondition(object *unstructured.Unstructured, kind, status string) Check {
	return func(ctx context.Context, c *Cluster) error {
		found, err := c.Get(ctx, object)
		if err != nil {
			return err
		}
		if err := observed(found, false); err != nil {
			return err
		}
		return conditionIs(found, kind, status)
	}
}

// PolicyEnforced holds when a Kuadrant policy is Enforced as it is now. Its
// conditions carry no generation, its status does (vectors of the cluster,
// timeline). It does not prove that a limit is in force (sut.md 0.1).
func PolicyEnforced(object *unstructured.Unstructured) Check {
	return func(ctx context.Context, c *Cluster) error {
		found, err := c.Get(ctx, object)
		if err != nil {
			return err
		}
		if err := observed(found, true); err != nil {
			return err
		}
		return conditionIs(found, "Enforced", "True")
	}
}

// ListenerProgrammed holds when every listener of a Gateway is Programmed. The
// Gateway itself never is where there is no load balancer (vectors of the
// cluster, surprise 4).
func ListenerProgrammed(namespace, name string) Check {
	gateway := &unstructured.Unstructured{}
	gateway.SetGroupVersionKind(schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "Gateway"})
	gateway.SetNamespace(namespace)
	gateway.SetName(name)
	return func(ctx context.Context, c *Cluster) error {
		found, err := c.Get(ctx, gateway)
		if err != nil {
			return err
		}
		asked, _, _ := unstructured.NestedSlice(found.Object, "spec", "listeners")
		answers, _, _ := unstructured.NestedSlice(found.Object, "status", "listeners")
		said := map[any]map[string]any{}
		for _, item := range answers {
			if answer, ok := item.(map[string]any); ok {
				said[answer["name"]] = answer
			}
		}
		if len(asked) == 0 {
			return errors.New("it has no listener")
		}
		for _, item := range asked {
			listener, _ := item.(map[string]any)
			answer := said[listener["name"]]
			if answer == nil {
				return fmt.Errorf("listener %v: nothing has looked at it yet", listener["name"])
			}
			if err := conditionOf(answer, found.GetGeneration(), "Programmed", "True"); err != nil {
				return fmt.Errorf("listener %v: %w", listener["name"], err)
			}
		}
		return nil
	}
}

// ServiceHasEndpoints holds when a ready pod stands behind a Service.
func ServiceHasEndpoints(namespace, name string) Check {
	return func(ctx context.Context, c *Cluster) error {
		if _, err := c.Client.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{}); err != nil {
			return err
		}
		slices, err := c.Client.DiscoveryV1().EndpointSlices(namespace).List(ctx, listOptions(discoveryv1.LabelServiceName+"="+name))
		if err != nil {
			return err
		}
		addresses := 0
		for _, slice := range slices.Items {
			for _, endpoint := range slice.Endpoints {
				addresses += len(endpoint.Addresses)
				if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
					return nil
				}
			}
		}
		return fmt.Errorf("none of its %d addresses is ready", addresses)
	}
}

// ServiceLeadsTo holds when these pods stand behind a Service, ready, and no other
// does.
func ServiceLeadsTo(namespace, name string, pods []string) Check {
	return func(ctx context.Context, c *Cluster) error {
		found, err := c.Client.DiscoveryV1().EndpointSlices(namespace).List(ctx, listOptions(discoveryv1.LabelServiceName+"="+name))
		if err != nil {
			return err
		}
		var behind []string
		for _, slice := range found.Items {
			for _, endpoint := range slice.Endpoints {
				if endpoint.TargetRef != nil && (endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready) {
					behind = append(behind, endpoint.TargetRef.Name)
				}
			}
		}
		slices.Sort(behind)
		behind = slices.Compact(behind)
		if want := slices.Sorted(slices.Values(pods)); len(want) == 0 || !slices.Equal(behind, want) {
			return fmt.Errorf("it leads to the pods %v, not to %v", behind, want)
		}
		return nil
	}
}

// observed tells whether the status is of the object as it is now; must says
// that a status without a generation is none.
func observed(object *unstructured.Unstructured, must bool) error {
	seen, found, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	if err != nil {
		return fmt.Errorf("its status: %w", err)
	}
	if !found && !must {
		return nil
	}
	if seen != object.GetGeneration() {
		return fmt.Errorf("its controller has seen change %d, the last is %d", seen, object.GetGeneration())
	}
	return nil
}

func conditionIs(object *unstructured.Unstructured, kind, status string) error {
	content, _, _ := unstructured.NestedMap(object.Object, "status")
	return conditionOf(content, object.GetGeneration(), kind, status)
}

// conditionOf finds a condition in the list of a status.
func conditionOf(content map[string]any, generation int64, kind, status string) error {
	list, _, _ := unstructured.NestedSlice(content, "conditions")
	for _, item := range list {
		condition, _ := item.(map[string]any)
		if condition["type"] != kind {
			continue
		}
		if seen, ok := condition["observedGeneration"].(int64); ok && seen != generation {
			return fmt.Errorf("condition %s is of change %d, the last is %d", kind, seen, generation)
		}
		if condition["status"] == status {
			return nil
		}
		reason, _ := condition["reason"].(string)
		message, _ := condition["message"].(string)
		return fmt.Errorf("condition %s is %v: %s", kind, condition["status"], plain(strings.Trim(reason+": "+message, ": ")))
	}
	return fmt.Errorf("it has no condition %s yet", kind)
}

// Missing tells whether an error says that an object, or its kind, is not there.
func Missing(err error) bool {
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err)
}
