package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// leastDownPatience is how long a step is given at least to be gone.
const leastDownPatience = time.Minute

// definitionPatience is how long a step with CustomResourceDefinitions is given at
// least. Where one was made a moment ago the API server may say for minutes that it
// cannot list its instances yet ("storage is (re)initializing"), and then lets it go
// (kubernetes/kubernetes#124642).
const definitionPatience = 5 * time.Minute

// Down takes back what Up made, step by step, and waits until each is gone:
// patches are undone, objects and releases that were not there before deleted,
// what was there before stays. It goes by what is written down in the cluster,
// not by the Runner's plan. Nothing installed is no error, and Down after a Down
// that was cut off goes on.
func (r *Runner) Down(ctx context.Context) error {
	b, err := read(ctx, r.Cluster, r.namespace())
	if err != nil {
		return err
	}
	var errs []error
	if b == nil {
		r.say("nothing is installed")
	} else {
		for _, step := range b.state.Steps {
			if len(step.Releases) > 0 && r.Charts == nil {
				return fmt.Errorf("step %s installed chart %s: the charts' program is needed to take it back, and there is none", step.Name, step.Releases[0].Name)
			}
		}
		names := b.state.backwards()
		for i, name := range names {
			start := time.Now()
			left, err := r.takeBack(ctx, b, b.state.step(name))
			if err != nil {
				return errors.Join(append(errs, fmt.Errorf("take back step %s: %w", name, err))...)
			}
			errs = append(errs, left...)
			r.say("[%d/%d] %s: gone after %s", i+1, len(names), name, seconds(start))
		}
	}
	return errors.Join(append(errs, r.forget(ctx))...)
}

// takeBack takes one step back. The first errors do not keep it from being
// gone: patches that could not be undone.
func (r *Runner) takeBack(ctx context.Context, b *book, step *stepState) (left []error, err error) {
	patience := r.downPatience(step)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not gone after %s", patience))
	defer cancel()
	for _, undo := range slices.Backward(step.Undo) {
		if err := r.undo(ctx, undo); err != nil {
			if ctx.Err() != nil {
				return left, err
			}
			left = append(left, fmt.Errorf("undo a patch of step %s: %w", step.Name, err))
		}
	}
	if err := r.remove(ctx, step, func(m made) bool { return m.Release == "" }); err != nil {
		return left, err
	}
	for _, release := range slices.Backward(step.Releases) {
		chart := Chart{Release: release.Release, Namespace: release.Namespace, Repository: release.Repository, Name: release.Name, Version: release.Version}
		if err := r.Charts.Uninstall(ctx, chart); err != nil {
			return left, fmt.Errorf("uninstall %s/%s: %w", release.Namespace, release.Release, err)
		}
	}
	// What uninstalling leaves: CRDs, namespaces, hooks.
	if err := r.remove(ctx, step, func(m made) bool { return m.Release != "" }); err != nil {
		return left, err
	}
	step.Made, step.Releases, step.Undo = nil, nil, nil
	step.become(Pending, nil)
	return left, b.save(ctx)
}

// downPatience is how long a step may take to be gone.
func (r *Runner) downPatience(step *stepState) time.Duration {
	patience := leastDownPatience
	for _, planned := range r.Plan.Steps {
		if planned.Name == step.Name {
			patience = max(patience, r.patience(planned))
		}
	}
	if slices.ContainsFunc(step.Made, func(m made) bool { return m.Kind == crdKind }) {
		patience = max(patience, definitionPatience)
	}
	return patience
}

func (r *Runner) undo(ctx context.Context, u undo) error {
	found, err := r.Cluster.Get(ctx, u.object())
	if kube.Missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if string(found.GetUID()) != u.UID {
		return nil
	}
	err = patiently(ctx, leastDownPatience, func(ctx context.Context) error { return r.Cluster.Merge(ctx, u.object(), u.Merge) })
	if kube.Missing(err) {
		return nil
	}
	return err
}

// remove deletes what a step made, the last first, and waits for its end.
func (r *Runner) remove(ctx context.Context, step *stepState, which func(made) bool) error {
	var going []*unstructured.Unstructured
	for _, m := range slices.Backward(step.Made) {
		if !which(m) {
			continue
		}
		var found *unstructured.Unstructured
		err := patiently(ctx, leastDownPatience, func(ctx context.Context) (err error) {
			found, err = r.Cluster.Get(ctx, m.object())
			if kube.Missing(err) {
				found, err = nil, nil
			}
			return err
		})
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		if !m.made(found) {
			r.say("%s was made anew by somebody else and stays", kube.Name(found))
			continue
		}
		if err := patiently(ctx, leastDownPatience, func(ctx context.Context) error { return r.Cluster.DeleteExactly(ctx, found) }); err != nil {
			return err
		}
		// Who has to end a finalizer may be what is deleted next.
		if len(found.GetFinalizers()) > 0 {
			if err := r.gone(ctx, found); err != nil {
				return err
			}
			continue
		}
		going = append(going, found)
	}
	for _, object := range going {
		if err := r.gone(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

// made tells whether an object is the one that was made: by its UID, or by
// whoever applied it where the record was cut off before the UID, or where it was
// made anew by another part of ours. A chart's objects are applied by Helm: what
// was not there before and is there now is then the chart's.
func (m made) made(found *unstructured.Unstructured) bool {
	if m.UID == "" && m.Release != "" || m.UID != "" && m.UID == string(found.GetUID()) {
		return true
	}
	return slices.ContainsFunc(found.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == kube.FieldManager && entry.Operation == metav1.ManagedFieldsOperationApply
	})
}

// gone waits for the end of an object that was deleted.
func (r *Runner) gone(ctx context.Context, deleted *unstructured.Unstructured) error {
	nudged := time.Now()
	err := kube.Until(ctx, interval, func(ctx context.Context) error {
		found, err := r.Cluster.Get(ctx, deleted)
		if kube.Missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if found.GetUID() != deleted.GetUID() {
			return nil
		}
		if found.GetKind() == crdKind && time.Since(nudged) > nudgeEvery {
			r.nudge(ctx, found)
			nudged = time.Now()
		}
		return fmt.Errorf("held by %s", kube.HeldBy(found))
	})
	if err != nil {
		return fmt.Errorf("%s is not gone: %w", kube.Name(deleted), err)
	}
	return nil
}

// nudgeEvery is how often a definition that is held is touched.
const nudgeEvery = time.Second

// nudge touches a definition that is held. An API server that failed to list its
// instances tries again after pauses that double each time, and at once where the
// object has changed (apiextensions-apiserver, crd_finalizer.go).
func (r *Runner) nudge(ctx context.Context, held *unstructured.Unstructured) {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	// A touch that fails costs the time until the next one.
	_ = r.Cluster.Merge(ctx, held, map[string]any{"metadata": map[string]any{"annotations": map[string]any{nudgedAt: now}}})
}

// nudgedAt is the annotation that a touch changes.
const nudgedAt = "floodgate.dev/waited-for-at"

// forget removes the state, and its namespace if Up made it.
func (r *Runner) forget(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*leastDownPatience, fmt.Errorf("not gone after %s", 2*leastDownPatience))
	defer cancel()
	object := made{APIVersion: "v1", Kind: "Namespace", Name: r.namespace()}.object()
	space, err := r.Cluster.Get(ctx, object)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for namespace %s: %w", r.namespace(), err)
	}
	if space.GetAnnotations()[madeBy] == madeByUp {
		if err := r.Cluster.DeleteExactly(ctx, space); err != nil {
			return err
		}
		return r.gone(ctx, space)
	}
	config := made{APIVersion: corev1.SchemeGroupVersion.String(), Kind: "ConfigMap", Namespace: r.namespace(), Name: ConfigMap}.object()
	return r.Cluster.Delete(ctx, config)
}
