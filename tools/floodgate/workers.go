package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/suites/attack/crew"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// startWorkers starts what shares the run's attacks, processes here or pods in
// the cluster. Without any, the spec processes fire alone and workers is nil.
func (p *plan) startWorkers(ctx context.Context, system cluster.System) (workers *harness.Workers, stop func(context.Context) error, err error) {
	n := p.workers
	if p.from == fromCluster {
		n = max(1, n)
	}
	if n == 0 {
		return nil, func(context.Context) error { return nil }, nil
	}
	var token string
	workers = &harness.Workers{Inside: p.from == fromCluster}
	if workers.Inside {
		starter, err := cluster.As[cluster.WorkerStarter](system)
		if err != nil {
			return nil, nil, fmt.Errorf("--from cluster: %w", err)
		}
		token = crew.NewToken()
		if workers.URLs, stop, err = starter.StartWorkers(ctx, n, token); err != nil {
			return nil, nil, fmt.Errorf("--from cluster: %w", err)
		}
	} else {
		self, err := os.Executable()
		if err != nil {
			return nil, nil, fmt.Errorf("find this program: %w", err)
		}
		pool, err := crew.StartProcesses(ctx, self, n, filepath.Join(p.dir, "logs"))
		if err != nil {
			return nil, nil, fmt.Errorf("--workers %d: %w", n, err)
		}
		token, workers.URLs, stop = pool.Token(), pool.URLs(), pool.Stop
	}
	if workers.TokenFile, err = crew.WriteToken(p.private, token); err != nil {
		return nil, nil, fmt.Errorf("keep the workers' token: %w", stopAfter(ctx, stop, err))
	}
	return workers, stop, nil
}

func stopAfter(ctx context.Context, stop func(context.Context) error, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return errors.Join(err, stop(ctx))
}
