package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

const (
	// interval is how often conditions are asked, lookEvery how often the cluster
	// is asked for troubles while they are not satisfied.
	interval  = 500 * time.Millisecond
	lookEvery = 2 * time.Second
	// troubleHold is how long a trouble that ends the wait must be seen: pods of
	// before a change are still there for a moment after it.
	troubleHold = 5 * time.Second
	// kindPatience is how long a kind may be unknown: the API server serves a
	// custom resource a moment after its definition.
	kindPatience = 10 * time.Second
	// noteTimeout bounds what is still written when a step has failed.
	noteTimeout = 30 * time.Second
)

// Runner carries a plan out and takes it back. What it did is in a ConfigMap of
// the cluster, so that any other Runner of the plan goes on from there, however
// this one ended.
type Runner struct {
	Cluster *kube.Cluster
	Plan    Plan
	// Charts may be nil where no step has one.
	Charts Charts
	// Patience overrides that of steps, by their name.
	Patience map[string]time.Duration
	// Progress gets one line a step, nil being nobody.
	Progress io.Writer
	// Diagnosis is the folder that logs, events and objects go to when a step
	// fails, "" for none.
	Diagnosis string

	// home is the namespace of the state, "" meaning Namespace. Tests install
	// several plans side by side.
	home string
}

func (r *Runner) namespace() string { return cmp.Or(r.home, Namespace) }

// Up carries the plan's steps out in order. What is there already is applied
// again, which changes nothing, and asked whether it is ready. The error of a
// step is a *cluster.StartError whose component is the step's name and whose
// cause is what the cluster gives as the reason.
func (r *Runner) Up(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	if installed, err := read(ctx, r.Cluster, r.namespace()); err != nil {
		return err
	} else if installed != nil {
		// Before the namespace is touched.
		if err := r.Plan.sameAs(&installed.state); err != nil {
			return err
		}
	}
	b, err := begin(ctx, r.Cluster, r.namespace(), r.Plan)
	if err != nil {
		return err
	}
	for i, step := range r.Plan.Steps {
		start := time.Now()
		if err := r.carry(ctx, b, step); err != nil {
			r.say("[%d/%d] %s: failed after %s", i+1, len(r.Plan.Steps), step.Name, seconds(start))
			return r.failed(ctx, b, step, start, err)
		}
		r.say("[%d/%d] %s: ready after %s", i+1, len(r.Plan.Steps), step.Name, seconds(start))
	}
	return nil
}

func (r *Runner) check() error {
	if err := errors.Join(r.Plan.Check(), checkPatience(r.Plan, r.Patience)); err != nil {
		return err
	}
	if r.Charts == nil {
		for _, step := range r.Plan.Steps {
			if len(step.Charts) > 0 {
				return fmt.Errorf("step %s installs chart %s: the charts' program is needed, and there is none", step.Name, step.Charts[0].Name)
			}
		}
	}
	return nil
}

// failed writes down that a step failed and collects what the cluster knows,
// even where the run was interrupted.
func (r *Runner) failed(ctx context.Context, b *book, step Step, start time.Time, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	if !errors.Is(err, errElsewhere) {
		b.state.step(step.Name).become(Failed, err)
		if saveErr := b.save(ctx); saveErr != nil {
			err = errors.Join(err, saveErr)
		}
	}
	if r.Diagnosis != "" {
		if collectErr := r.Cluster.Collect(ctx, step.scopes(), start, filepath.Join(r.Diagnosis, step.Name)); collectErr != nil {
			r.say("%v", collectErr)
		}
	}
	return err
}

func (r *Runner) patience(step Step) time.Duration {
	if configured, ok := r.Patience[step.Name]; ok {
		return configured
	}
	return step.Patience
}

// say writes a line for people; that nobody reads it changes nothing.
func (r *Runner) say(format string, args ...any) {
	if r.Progress != nil {
		_, _ = fmt.Fprintf(r.Progress, format+"\n", args...)
	}
}

func seconds(start time.Time) string {
	return fmt.Sprintf("%.1f s", time.Since(start).Seconds())
}

// scopes are where to look for the cause of a step's failure: where the plan
// says, or all namespaces that the step puts something into.
func (s Step) scopes() []Scope {
	if len(s.Collect) > 0 {
		return s.Collect
	}
	var scopes []Scope
	seen := map[string]bool{"": true}
	add := func(namespace string) {
		if !seen[namespace] {
			seen[namespace] = true
			scopes = append(scopes, Scope{Namespace: namespace})
		}
	}
	for _, chart := range s.Charts {
		add(chart.Namespace)
	}
	for _, object := range s.Objects {
		add(object.GetNamespace())
	}
	for _, patch := range s.Patches {
		add(patch.Object.GetNamespace())
	}
	return scopes
}
