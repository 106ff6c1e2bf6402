package metrics

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// Limiter reads the metrics page of one limiter and sums it by the label that
// names the caller; "" stands for DefaultUserLabel. A page without
// limitador_up, which every Limitador prints from its start, is an error.
func (r *Reader) Limiter(ctx context.Context, base, userLabel string) (Tally, error) {
	address := join(base, "/metrics")
	page, err := r.get(ctx, address)
	if err != nil {
		return Tally{}, err
	}
	sum, err := ParseLimiter(page, userLabel, r.scopes...)
	if err != nil {
		return Tally{}, fmt.Errorf("read %s: %w", address, err)
	}
	return sum, nil
}

// ParseLimiter is Limiter for a page that was read already, and counts calls of
// these namespaces alone, of all if none is named.
func ParseLimiter(page []byte, userLabel string, scopes ...string) (Tally, error) {
	samples, err := Parse(page, append(callNames(), limiterUp)...)
	if err != nil {
		return Tally{}, err
	}
	for _, sample := range samples {
		if sample.Name == limiterUp {
			return tally(samples, userLabel, scopes)
		}
	}
	return Tally{}, fmt.Errorf("no %s in %s: this is no limiter's metrics page", limiterUp, quote(page))
}

// Status is the limiter's account of itself (sut.md 2.7).
type Status struct {
	// StartedAt tells processes apart; it is UTC on the limiter's clock.
	StartedAt time.Time
	// ConfigVersion counts reloads, ConfigErrors failed ones since the last
	// good one. Wait for a change of the limits, not for a number here: a
	// write in place counts once or twice.
	ConfigVersion, ConfigErrors int64
}

// statusTime is chrono's naive UTC: no zone, up to nanoseconds.
const statusTime = "2006-01-02T15:04:05.999999999"

// Status reads the limiter's /status. It can say 200 while the limiter's gRPC
// port could not be bound (sut.md 2.7), so it shows no readiness. Limitador
// up to v1.6.0 answers null, which is an error.
func (r *Reader) Status(ctx context.Context, base string) (Status, error) {
	address := join(base, "/status")
	var answer struct {
		StartedAt     string `json:"started_at"`
		ConfigVersion int64  `json:"config_version"`
		ConfigErrors  int64  `json:"config_err_since"`
	}
	if err := r.getJSON(ctx, address, &answer); err != nil {
		return Status{}, err
	}
	started, err := time.Parse(statusTime, answer.StartedAt)
	if err != nil {
		return Status{}, fmt.Errorf("read %s: started_at: %w", address, err)
	}
	return Status{started, answer.ConfigVersion, answer.ConfigErrors}, nil
}

// Instance names the process behind a limiter's base URL by address and start
// time, such as "127.0.0.1:8080@2026-11-23T00:12:00.010323897Z": another name
// means that its metrics began at zero again.
func (r *Reader) Instance(ctx context.Context, base string) (string, error) {
	status, err := r.Status(ctx, base)
	if err != nil {
		return "", err
	}
	address, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", base, err)
	}
	return address.Host + "@" + status.StartedAt.Format(time.RFC3339Nano), nil
}

// Limit is a limit in force (sut.md 2.7).
type Limit struct {
	Namespace  string   `json:"namespace"`
	MaxValue   int64    `json:"max_value"`
	Seconds    int64    `json:"seconds"`
	Name       string   `json:"name"`
	Conditions []string `json:"conditions"`
	Variables  []string `json:"variables"`
}

// Limits reads the limits in force in a namespace; an unknown one has none.
func (r *Reader) Limits(ctx context.Context, base, namespace string) ([]Limit, error) {
	var limits []Limit
	err := r.getJSON(ctx, join(base, "/limits/"+url.PathEscape(namespace)), &limits)
	return limits, err
}

// Counter is a live counter of the limiter (sut.md 2.7).
type Counter struct {
	// Limit shows the max_value and name that the limit had when the counter
	// was made (sut.md 2.9).
	Limit Limit `json:"limit"`
	// SetVariables maps each variable's CEL source to the caller's value.
	SetVariables map[string]string `json:"set_variables"`
	// Remaining wraps below zero, to 18446744073709551xxx, after an overshoot
	// or an edit (sut.md 2.9).
	Remaining uint64 `json:"remaining"`
	// ExpiresIn is in whole seconds, cut.
	ExpiresIn uint64 `json:"expires_in_seconds"`
}

// Overshot is true where more was counted than the counter's limit allows.
func (c Counter) Overshot() bool { return c.Remaining > 1<<63 }

// Counters reads the live counters of a namespace, in arbitrary order.
func (r *Reader) Counters(ctx context.Context, base, namespace string) ([]Counter, error) {
	var counters []Counter
	err := r.getJSON(ctx, join(base, "/counters/"+url.PathEscape(namespace)), &counters)
	return counters, err
}
