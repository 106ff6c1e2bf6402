package metrics

import (
	"context"
	"errors"
	"fmt"
)

// Dialect says whose counters a gateway prints.
type Dialect string

// The dialects: Kuadrant's filter, and Envoy's own ratelimit filter.
const (
	Kuadrant Dialect = "kuadrant"
	Envoy    Dialect = "envoy"
)

// Gateway holds the counters of the gateway's filter. In Kuadrant's dialect
// they mean what sut.md 3.4 says: Allowed counts answers that had headers,
// which is no count of admissions, and Denied every reply of the filter's own.
// In Envoy's dialect Hits are the limiter's answers and failures, Allowed the
// requests that passed, Denied the limiter's refusals, and Misses is 0.
type Gateway struct {
	Dialect                               Dialect
	Hits, Misses, Allowed, Denied, Errors int64
	// Configs counts the filter's configurations, in Kuadrant's dialect: +3
	// for each that it took and +1 for each that it rejected, as measured with
	// one worker (vectors of wasm-shim 0.14.1).
	Configs int64
}

// Gateway reads a gateway's statistics page, sums every label set of a counter
// and returns the counters. A page without either dialect is an error.
func (r *Reader) Gateway(ctx context.Context, address string) (Gateway, error) {
	page, err := r.get(ctx, address)
	if err != nil {
		return Gateway{}, err
	}
	counters, err := ParseGateway(page)
	if err != nil {
		return Gateway{}, fmt.Errorf("read %s: %w", address, err)
	}
	return counters, nil
}

// ParseGateway is Gateway for a page that was read already.
func ParseGateway(page []byte) (Gateway, error) {
	const (
		hits, misses, allowed   = "kuadrant_hits", "kuadrant_misses", "kuadrant_allowed"
		denied, failed, configs = "kuadrant_denied", "kuadrant_errors", "kuadrant_configs"

		ok, over, failure, passed = "envoy_cluster_ratelimit_ok", "envoy_cluster_ratelimit_over_limit",
			"envoy_cluster_ratelimit_error", "envoy_cluster_ratelimit_failure_mode_allowed"
	)
	samples, err := Parse(page, hits, misses, allowed, denied, failed, configs, ok, over, failure, passed)
	if err != nil {
		return Gateway{}, err
	}
	sums := map[string]int64{}
	for _, sample := range samples {
		if sums[sample.Name], err = sample.addTo(sums[sample.Name]); err != nil {
			return Gateway{}, err
		}
	}
	// The filter prints all of its counters from the start.
	if _, there := sums[hits]; there {
		return Gateway{Kuadrant, sums[hits], sums[misses], sums[allowed], sums[denied], sums[failed], sums[configs]}, nil
	}
	if len(sums) > 0 {
		return Gateway{
			Dialect: Envoy,
			Hits:    sums[ok] + sums[over] + sums[failure],
			Allowed: sums[ok] + sums[passed],
			Denied:  sums[over],
			Errors:  sums[failure],
		}, nil
	}
	return Gateway{}, errors.New("neither kuadrant_* nor envoy_cluster_ratelimit_* counters there: " +
		"the filter is not loaded, or (Envoy's own) was not used yet")
}
