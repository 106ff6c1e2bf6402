package metrics

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// ScrapedLimiters are the instance labels of the limiters that a Prometheus
// scraped lately. Every Limitador prints limitador_up from its start (sut.md 2.8).
func (r *Reader) ScrapedLimiters(ctx context.Context, address string) ([]string, error) {
	client, err := api.NewClient(api.Config{Address: address, Client: r.client})
	if err != nil {
		return nil, fmt.Errorf("prometheus at %s: %w", address, err)
	}
	value, _, _, err := promv1.NewAPI(client).Query(ctx, limiterUp, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("prometheus at %s: query %s: %w", address, limiterUp, err)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("prometheus at %s: query %s: got %s, want a vector", address, limiterUp, kindOf(value))
	}
	var instances []string
	for _, sample := range vector {
		if sample == nil {
			continue
		}
		if instance := string(sample.Metric[model.InstanceLabel]); instance != "" {
			instances = append(instances, instance)
		}
	}
	slices.Sort(instances)
	return slices.Compact(instances), nil
}
