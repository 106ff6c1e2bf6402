package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// watchInterval is how often the components' containers are looked at.
const watchInterval = 2 * time.Second

// watched are the components whose end on their own is a Death, by name.
func (s *System) watched() map[string]Workload {
	found := map[string]Workload{}
	names := []string{limiterName, authorizerName, modelName, prometheusName}
	for variant := range s.up.Variants {
		names = append(names, component(gatewayName, variant))
	}
	for _, name := range names {
		if w, err := s.workload(name); err == nil {
			found[name] = w
		}
	}
	return found
}

// watch looks for containers that ended by themselves until Down.
func (s *System) watch(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	workloads := s.watched()
	s.watching.Go(func() {
		restarts := map[string]int32{}
		tick := time.NewTicker(watchInterval)
		defer tick.Stop()
		for {
			for name, w := range workloads {
				pods, err := s.cluster.Pods(ctx, w.Namespace, w.Selector)
				if err != nil {
					continue
				}
				for i := range pods {
					s.report(ctx, name, &pods[i], restarts)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// report delivers containers of a pod that have restarted since the last look:
// one whose pod was deleted comes in another pod, and is none.
func (s *System) report(ctx context.Context, name string, pod *corev1.Pod, restarts map[string]int32) {
	for _, status := range pod.Status.ContainerStatuses {
		key := string(pod.UID) + " " + status.Name
		before, known := restarts[key]
		restarts[key] = status.RestartCount
		if !known || status.RestartCount <= before {
			continue
		}
		cause := fmt.Errorf("container %s of pod %s was started again", status.Name, pod.Name)
		if last := status.LastTerminationState.Terminated; last != nil {
			cause = fmt.Errorf("container %s of pod %s ended with status %d (%s)", status.Name, pod.Name, last.ExitCode, last.Reason)
		}
		death := cluster.Death{Component: name, Cause: cause, Log: s.cluster.LogTail(ctx, pod, status.Name, true, s.cluster.RedactorOf(ctx, pod.Namespace))}
		select {
		case s.died <- death:
		default:
			// Nobody listens, or not as fast as components end.
		}
	}
}

// describe lists the components as they are.
func (s *System) describe(ctx context.Context) {
	s.up.Components = nil
	for name, w := range s.watched() {
		pods, err := s.cluster.Pods(ctx, w.Namespace, w.Selector)
		if err != nil || len(pods) == 0 || len(pods[0].Spec.Containers) == 0 {
			continue
		}
		one := cluster.Component{Name: name, Origin: cluster.Real, Path: "pod " + w.Namespace + "/" + pods[0].Name}
		container := pods[0].Spec.Containers[0]
		one.Version = imageVersion(container.Image)
		if marked(&pods[0], StandInLabel) {
			one.Origin = cluster.StandIn
			one.Faults = faultsOf(container.Args)
		}
		s.up.Components = append(s.up.Components, one)
	}
	slices.SortFunc(s.up.Components, func(a, b cluster.Component) int { return strings.Compare(a.Name, b.Name) })
}

// faultsOf are the faults in a stand-in's arguments.
func faultsOf(args []string) []string {
	var faults []string
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--fault="); ok {
			faults = append(faults, value)
		} else if arg == "--fault" && i+1 < len(args) {
			faults = append(faults, args[i+1])
		}
	}
	return faults
}

// imageVersion is an image's tag, or its digest.
func imageVersion(image string) string {
	if _, digest, ok := strings.Cut(image, "@"); ok {
		return digest
	}
	if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") {
		return image[at+1:]
	}
	return "latest"
}

// Diagnose collects the logs, events and custom resources of the system's
// namespaces since a time.
func (s *System) Diagnose(ctx context.Context, since time.Time, dir string) error {
	var scopes []kube.Scope
	seen := map[string]bool{}
	for _, w := range s.watched() {
		if key := w.Namespace + " " + w.Selector; !seen[key] {
			seen[key] = true
			scopes = append(scopes, kube.Scope{
				Namespace: w.Namespace, Selector: w.Selector,
				Kinds: append(policyKinds(), kuadrantKind, limitadorKind, authorinoKind, gatewayKind, httpRouteKind),
			})
		}
	}
	slices.SortFunc(scopes, func(a, b kube.Scope) int {
		return strings.Compare(a.Namespace+" "+a.Selector, b.Namespace+" "+b.Selector)
	})
	return s.cluster.Collect(ctx, scopes, since, dir)
}
