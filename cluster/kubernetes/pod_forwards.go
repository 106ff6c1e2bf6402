package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// podForwards are loopback addresses for a port of each pod of a workload. A pod
// keeps its address as long as it lives, so that what is read there is of one
// process.
type podForwards struct {
	cluster  *kube.Cluster
	workload Workload

	mu   sync.Mutex
	open map[types.UID]*kube.Forward
}

func newPodForwards(c *kube.Cluster, w Workload) *podForwards {
	return &podForwards{cluster: c, workload: w, open: map[types.UID]*kube.Forward{}}
}

// addresses are host:port of the ready pods, oldest first, and these pods. No
// pod is an error.
func (f *podForwards) addresses(ctx context.Context) ([]string, []corev1.Pod, error) {
	pods, err := f.cluster.Pods(ctx, f.workload.Namespace, f.workload.Selector)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	alive := map[types.UID]bool{}
	for _, pod := range pods {
		alive[pod.UID] = true
	}
	for uid, forward := range f.open {
		if !alive[uid] {
			_ = forward.Close()
			delete(f.open, uid)
		}
	}
	pods = slices.DeleteFunc(pods, func(p corev1.Pod) bool { return !kube.Ready(&p) })
	if len(pods) == 0 {
		return nil, nil, fmt.Errorf("no pod of %s with %s is ready", f.workload.Namespace, f.workload.Selector)
	}
	var found []string
	for _, pod := range pods {
		forward, ok := f.open[pod.UID]
		if !ok {
			if forward, err = f.cluster.Forward(ctx, f.cluster.ThePod(pod.Namespace, pod.Name), f.workload.Port); err != nil {
				return nil, nil, err
			}
			f.open[pod.UID] = forward
		}
		found = append(found, forward.Addr())
	}
	return found, pods, nil
}

func (f *podForwards) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for uid, forward := range f.open {
		errs = append(errs, forward.Close())
		delete(f.open, uid)
	}
	return errors.Join(errs...)
}
