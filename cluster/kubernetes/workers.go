package kubernetes

import (
	"context"
	"fmt"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/crew"
)

// workersNamespace is where workers run: nobody's policy is in force there.
const workersNamespace = "floodgate-workers"

// StartWorkers starts an Indexed Job of workers in a namespace of our own, which
// Down removes.
func (s *System) StartWorkers(ctx context.Context, n int, token string) (urls []string, stop func(context.Context) error, err error) {
	if err := s.Lacks((*cluster.WorkerStarter)(nil)); err != nil {
		return nil, nil, err
	}
	namespace := Resource{"v1", "Namespace", "", workersNamespace}.object()
	if err := s.own(ctx, workersNamespace); err != nil {
		return nil, nil, err
	}
	s.label(namespace)
	if err := s.changes.note(ctx, namespace, nil); err != nil {
		return nil, nil, err
	}
	if err := s.cluster.Apply(ctx, namespace); err != nil {
		return nil, nil, err
	}
	pool, err := crew.StartJob(ctx, s.cluster, crew.JobOptions{
		Namespace: workersNamespace, Image: s.state.Image, Workers: n, Run: s.state.Run, Token: token,
	})
	if err != nil {
		return nil, nil, err
	}
	for i, node := range pool.Nodes {
		s.progress.line("worker %d runs on node %s", i, node)
	}
	if len(pool.URLs) != n {
		return nil, nil, fmt.Errorf("%d of %d workers are there", len(pool.URLs), n)
	}
	return pool.URLs, pool.Stop, nil
}
