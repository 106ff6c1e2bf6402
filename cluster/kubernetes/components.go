package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// replicaPatience is how long replicas may take to be ready, or gone: a limiter
// takes 12 to 14 s for its probe alone, and one that is told to stop may go on
// for 30 s (vectors of the cluster).
const replicaPatience = 2 * time.Minute

// workload are the pods of a component. The limiter and the authorizer of a
// variant are those of all: what is done to limitador@twin is done to limitador.
func (s *System) workload(name string) (Workload, error) {
	base, variant, of := strings.Cut(name, "@")
	if !of {
		variant = MainVariant
	}
	site := s.state.Site
	pick := func(what string, w *Workload) (Workload, error) {
		if err := s.needs(what, w); err != nil {
			return Workload{}, err
		}
		return *w, nil
	}
	switch base {
	case limiterName:
		return pick("limiter", site.Limiter)
	case authorizerName:
		return pick("authorizer", site.Authorizer)
	case modelName:
		return pick("model", site.Model)
	case prometheusName:
		return pick("prometheus", site.Prometheus)
	case gatewayName:
		v, err := s.variant(variant)
		if err != nil {
			return Workload{}, err
		}
		f, err := s.gatewayPods(v)
		if err != nil {
			return Workload{}, err
		}
		return f.workload, nil
	}
	return Workload{}, fmt.Errorf("there is no component %q", name)
}

// deployment is what makes a component's pods.
func (s *System) deployment(ctx context.Context, w Workload) (*unstructured.Unstructured, error) {
	pods, err := s.cluster.Client.CoreV1().Pods(w.Namespace).List(ctx, metav1.ListOptions{LabelSelector: w.Selector})
	if err != nil {
		return nil, fmt.Errorf("list pods of %s: %w", w.Namespace, err)
	}
	for _, pod := range pods.Items {
		owner := metav1.GetControllerOf(&pod)
		if owner == nil || owner.Kind != "ReplicaSet" {
			continue
		}
		set, err := s.cluster.Client.AppsV1().ReplicaSets(w.Namespace).Get(ctx, owner.Name, metav1.GetOptions{})
		if err != nil {
			continue
		}
		if owner := metav1.GetControllerOf(set); owner != nil && owner.Kind == "Deployment" {
			return s.cluster.Get(ctx, Resource{"apps/v1", "Deployment", w.Namespace, owner.Name}.object())
		}
	}
	// Scaled to nothing, it has no pods to be found by.
	deployments, err := s.cluster.Client.AppsV1().Deployments(w.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list Deployments of %s: %w", w.Namespace, err)
	}
	selector, err := metav1.ParseToLabelSelector(w.Selector)
	if err != nil {
		return nil, err
	}
	for _, d := range deployments.Items {
		if selects(selector.MatchLabels, d.Spec.Template.Labels) {
			return s.cluster.Get(ctx, Resource{"apps/v1", "Deployment", w.Namespace, d.Name}.object())
		}
	}
	return nil, fmt.Errorf("no Deployment of %s makes pods with %s", w.Namespace, w.Selector)
}

// Replicas is how many replicas of a component are asked for.
func (s *System) Replicas(ctx context.Context, name string) (int, error) {
	w, err := s.workload(name)
	if err != nil {
		return 0, err
	}
	n, err := s.replicas(ctx, w)
	if err != nil {
		return 0, fmt.Errorf("replicas of %s: %w", name, err)
	}
	return n, nil
}

func (s *System) replicas(ctx context.Context, w Workload) (int, error) {
	d, err := s.deployment(ctx, w)
	if err != nil {
		return 0, err
	}
	n, found, err := unstructured.NestedInt64(d.Object, "spec", "replicas")
	if !found || err != nil {
		n = 1
	}
	return int(n), nil
}

// Scale asks for replicas and returns once exactly these are ready and no other
// is left. What an operator owns is asked of the operator.
func (s *System) Scale(ctx context.Context, name string, replicas int) error {
	w, err := s.workload(name)
	if err != nil {
		return err
	}
	err = s.scale(ctx, w, replicas)
	if err == nil {
		err = s.await(ctx, w, replicas, nil)
	}
	if err != nil {
		return fmt.Errorf("scale %s to %d: %w", name, replicas, err)
	}
	return nil
}

func (s *System) scale(ctx context.Context, w Workload, replicas int) error {
	owner := (*unstructured.Unstructured)(nil)
	if w.Resource != nil {
		owner = w.Resource.object()
	} else {
		var err error
		if owner, err = s.deployment(ctx, w); err != nil {
			return err
		}
	}
	return s.changes.merge(ctx, owner, map[string]any{"spec": map[string]any{"replicas": replicas}})
}

// Kill deletes a component's pods and returns at once.
func (s *System) Kill(ctx context.Context, name string) error {
	w, err := s.workload(name)
	if err != nil {
		return err
	}
	if _, err := s.deletePods(ctx, w); err != nil {
		return fmt.Errorf("delete the pods of %s: %w", name, err)
	}
	return nil
}

// Stop is Kill: the kubelet sends SIGTERM, and another pod is made at once.
func (s *System) Stop(ctx context.Context, name string) error {
	// An idle connection of ours would keep the real limiter for five seconds.
	s.reader.Close()
	return s.Kill(ctx, name)
}

// Restart deletes a component's pods and returns once as many others are ready
// and the old ones are gone.
func (s *System) Restart(ctx context.Context, name string) error {
	w, err := s.workload(name)
	if err != nil {
		return err
	}
	wanted, err := s.replicas(ctx, w)
	if err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	s.reader.Close()
	old, err := s.deletePods(ctx, w)
	if err == nil {
		err = s.await(ctx, w, wanted, old)
	}
	if err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	return nil
}

// Ready returns once a component has as many ready replicas as it is asked to
// have, and no other.
func (s *System) Ready(ctx context.Context, name string) error {
	w, err := s.workload(name)
	if err != nil {
		return err
	}
	wanted, err := s.replicas(ctx, w)
	if err == nil {
		err = s.await(ctx, w, wanted, nil)
	}
	if err != nil {
		return fmt.Errorf("replicas of %s: %w", name, err)
	}
	return nil
}

func (s *System) deletePods(ctx context.Context, w Workload) (map[types.UID]bool, error) {
	pods, err := s.cluster.Pods(ctx, w.Namespace, w.Selector)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("no pod of %s with %s runs", w.Namespace, w.Selector)
	}
	old := map[types.UID]bool{}
	var errs []error
	for _, pod := range pods {
		old[pod.UID] = true
		err := s.cluster.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})
		if err != nil && !kube.Missing(err) {
			errs = append(errs, err)
		}
	}
	return old, errors.Join(errs...)
}

// await returns once exactly so many pods are ready, none is ending, and none is
// one of old.
func (s *System) await(ctx context.Context, w Workload, replicas int, old map[types.UID]bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, replicaPatience, fmt.Errorf("not so after %s", replicaPatience))
	defer cancel()
	return kube.Until(ctx, pollInterval, func(ctx context.Context) error {
		list, err := s.cluster.Client.CoreV1().Pods(w.Namespace).List(ctx, metav1.ListOptions{LabelSelector: w.Selector})
		if err != nil {
			return err
		}
		return settled(list.Items, replicas, old)
	})
}

// settled returns nil if these pods are exactly so many ready ones.
func settled(pods []corev1.Pod, replicas int, old map[types.UID]bool) error {
	ready := 0
	for _, pod := range pods {
		switch {
		case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
			// One that ended stays listed, and is no replica.
		case pod.DeletionTimestamp != nil:
			return fmt.Errorf("pod %s is still ending", pod.Name)
		case old[pod.UID]:
			return fmt.Errorf("pod %s is still there", pod.Name)
		case kube.Ready(&pod):
			ready++
		default:
			return fmt.Errorf("pod %s is not ready", pod.Name)
		}
	}
	if ready != replicas {
		return fmt.Errorf("%d of %d replicas are ready", ready, replicas)
	}
	return nil
}
