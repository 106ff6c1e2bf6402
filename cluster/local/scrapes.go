package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/cluster/probe"
)

var _ cluster.ScrapeBreaker = (*attached)(nil)

// nowhere is where nobody listens: the port is reserved, and no component gets it.
const nowhere = loopback + ":1"

// BreakScrapes has Prometheus look for a variant's limiters where nobody is, and
// returns once it has missed a scrape of each.
func (a *attached) BreakScrapes(ctx context.Context, variant string) (mend func(context.Context) error, err error) {
	v, ok := a.up.Variants[variant]
	i := slices.IndexFunc(a.up.Components, func(c cluster.Component) bool { return c.Name == prometheus })
	if !ok || i < 0 || a.up.Components[i].PID == 0 || len(v.PrometheusInstances) == 0 {
		return nil, fmt.Errorf("break the scrapes of %s: no Prometheus of this stack scrapes it: %w", variant, errors.ErrUnsupported)
	}
	pid := a.up.Components[i].PID
	file := filepath.Join(a.up.State, prometheusFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	broken, err := withoutScrapes(whole, v.PrometheusInstances)
	if err != nil {
		return nil, err
	}
	mend = func(ctx context.Context) error { return a.scrapes(ctx, pid, file, whole, v, true) }
	return mend, a.scrapes(ctx, pid, file, broken, v, false)
}

// scrapes puts a configuration in force and waits until the variant's limiters
// are scraped or not.
func (a *attached) scrapes(ctx context.Context, pid int, file string, config []byte, v cluster.Variant, well bool) error {
	if err := writeAtomically(file, config); err != nil {
		return err
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(syscall.SIGHUP)
	}
	if err != nil {
		return fmt.Errorf("have prometheus read its configuration: %w", err)
	}
	source, err := a.reader.Prometheus(a.up.Prometheus, v.UserLabel, v.PrometheusInstances...)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, changePatience, fmt.Errorf("not in force after %s", changePatience))
	defer cancel()
	return probe.Until(bounded, func(ctx context.Context) error {
		states, err := source.Targets(ctx)
		if err != nil {
			return err
		}
		if at := slices.IndexFunc(states, func(s metrics.TargetState) bool { return !s.Listed || (s.Down == "") != well }); at >= 0 {
			return fmt.Errorf("prometheus says of %s: %q", states[at].Instance, states[at].Down)
		}
		return nil
	})
}

// withoutScrapes is a configuration that looks for some instances nowhere. They
// keep their names, so that their series go on when they are found again.
func withoutScrapes(config []byte, instances []string) ([]byte, error) {
	var c scrapeConfig
	if err := yaml.Unmarshal(config, &c); err != nil {
		return nil, fmt.Errorf("read prometheus' configuration: %w", err)
	}
	for j := range c.ScrapeConfigs {
		job := &c.ScrapeConfigs[j]
		var kept []staticTarget
		for _, static := range job.StaticConfigs {
			for _, target := range static.Targets {
				one := staticTarget{Targets: []string{target}, Labels: map[string]string{}}
				maps.Copy(one.Labels, static.Labels)
				if slices.Contains(instances, target) {
					one.Targets, one.Labels["instance"] = []string{nowhere}, target
				}
				kept = append(kept, one)
			}
		}
		job.StaticConfigs = kept
	}
	return yaml.Marshal(c)
}
