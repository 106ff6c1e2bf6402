package install

import (
	"context"
	"fmt"
	"time"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// StepStatus is where a step stands.
type StepStatus struct {
	Name, About string
	State       State
	// Since is when it came to that state, the zero time if it is not installed.
	Since time.Time
	// Error is why it failed when it last did.
	Error string
	// Missing is what is not as it should be now, "" if all is.
	Missing string
}

// Status says of every step where it stands and asks its conditions once.
// Nothing installed shows as steps that are all pending.
func (r *Runner) Status(ctx context.Context) ([]StepStatus, error) {
	b, err := read(ctx, r.Cluster, r.namespace())
	if err != nil {
		return nil, err
	}
	if b != nil {
		if err := r.Plan.sameAs(&b.state); err != nil {
			return nil, err
		}
	}
	var all []StepStatus
	for _, step := range r.Plan.Steps {
		status := StepStatus{Name: step.Name, About: step.About, State: Pending}
		if b != nil {
			record := b.state.step(step.Name)
			status.State, status.Since, status.Error = record.State, record.Since, record.Error
		}
		if status.State != Pending {
			status.Missing = r.lacks(ctx, step)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		all = append(all, status)
	}
	return all, nil
}

// lacks is the first thing that a step's objects and conditions are short of.
func (r *Runner) lacks(ctx context.Context, step Step) string {
	for _, object := range step.Objects {
		if err := kube.Exists(object)(ctx, r.Cluster); err != nil {
			return fmt.Sprintf("%s: %v", kube.Name(object), err)
		}
	}
	for _, condition := range step.Ready {
		if err := condition.Check(ctx, r.Cluster); err != nil {
			return fmt.Sprintf("not so: %s: %v", condition.What, err)
		}
	}
	return ""
}
