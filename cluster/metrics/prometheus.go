package metrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// pollInterval is how often Prometheus is asked for a newer scrape.
const pollInterval = 100 * time.Millisecond

// Prometheus reads raw samples of limiters' metrics from a Prometheus server.
// It never uses rate or increase, which extrapolate.
type Prometheus struct {
	api     promv1.API
	address string
	// instances are the instance labels of the wanted targets.
	instances []string
	userLabel string
	// scopes are as in the Reader.
	scopes []string
	// now is this machine's clock.
	now func() time.Time
}

// Prometheus returns a reader of the API at address for the targets with these
// instance labels. userLabel "" stands for DefaultUserLabel.
func (r *Reader) Prometheus(address, userLabel string, instances ...string) (*Prometheus, error) {
	if len(instances) == 0 {
		return nil, fmt.Errorf("prometheus at %s: no instance to read", address)
	}
	client, err := api.NewClient(api.Config{Address: address, Client: r.client})
	if err != nil {
		return nil, fmt.Errorf("prometheus at %s: %w", address, err)
	}
	return &Prometheus{promv1.NewAPI(client), address, slices.Compact(slices.Sorted(slices.Values(instances))), userLabel, r.scopes, time.Now}, nil
}

// Scrape is what Prometheus knows of the limiters by their last scrapes.
type Scrape struct {
	Tally
	// Began is when the oldest of these scrapes began at the earliest, on this
	// machine's clock: Prometheus' own may be ahead of it or behind.
	Began time.Time
}

// Last returns what the last scrape of every wanted target said. A target
// that was never scraped, or whose last scrape failed, is an error.
func (p *Prometheus) Last(ctx context.Context) (Scrape, error) {
	return p.read(ctx, time.Time{})
}

// After waits until the last scrape of every wanted target began after t, by this
// machine's clock whatever Prometheus' shows, and returns what these scrapes said.
// It waits as long as ctx lets it; the error then says what was missing.
func (p *Prometheus) After(ctx context.Context, t time.Time) (Scrape, error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	missing := errors.New("no answer yet")
	for {
		scrape, err := p.read(ctx, t)
		if err == nil {
			return scrape, nil
		}
		// The end of the wait is not the reason for it.
		if ctx.Err() == nil {
			missing = err
		}
		select {
		case <-ctx.Done():
			wanted := "a scrape"
			if !t.IsZero() {
				wanted += " that began after " + utc(t)
			}
			return Scrape{}, fmt.Errorf("wait for %s: %w; last: %w", wanted, context.Cause(ctx), missing)
		case <-tick.C:
		}
	}
}

// read sums the last scrapes if all of them began after t.
func (p *Prometheus) read(ctx context.Context, t time.Time) (Scrape, error) {
	scrape, err := p.sum(ctx, t)
	if err != nil {
		return Scrape{}, fmt.Errorf("prometheus at %s: %w", p.address, err)
	}
	return scrape, nil
}

func (p *Prometheus) sum(ctx context.Context, t time.Time) (Scrape, error) {
	targets, err := p.targets(ctx)
	if err != nil {
		return Scrape{}, err
	}
	var sum Scrape
	for _, instance := range p.instances {
		var chosen []Sample
		var began time.Time
		// Several jobs may scrape one instance: what kept most series is
		// taken, so that nothing is counted twice.
		for _, target := range targets {
			if target.instance != instance {
				continue
			}
			if !target.ours.After(t) {
				return Scrape{}, fmt.Errorf("the last scrape of %s began at %s", instance, utc(target.ours))
			}
			samples, err := p.scraped(ctx, target)
			if err != nil {
				return Scrape{}, err
			}
			if len(samples) > len(chosen) || began.IsZero() {
				chosen, began = samples, target.ours
			}
		}
		if began.IsZero() {
			return Scrape{}, fmt.Errorf("instance %s was not scraped lately: is it among the targets?", instance)
		}
		part, err := tally(chosen, p.userLabel, p.scopes)
		if err != nil {
			return Scrape{}, err
		}
		sum.Tally = sum.Plus(part)
		if sum.Began.IsZero() || began.Before(sum.Began) {
			sum.Began = began
		}
	}
	return sum, nil
}
