package install

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// DryRun prints what Up would do, as YAML with comments, without asking the
// cluster: versions, and for each step its patience, charts, objects, patches
// and what it waits for. Charts are rendered where that is possible. Keys are not
// shown.
func (r *Runner) DryRun(ctx context.Context, w io.Writer) error {
	if err := r.Plan.Check(); err != nil {
		return err
	}
	if err := checkPatience(r.Plan, r.Patience); err != nil {
		return err
	}
	p := &printout{w: w}
	p.line("# plan %s, %d steps", r.Plan.Name, len(r.Plan.Steps))
	for _, name := range slices.Sorted(maps.Keys(r.Plan.Versions)) {
		p.line("# version %s %s", name, r.Plan.Versions[name])
	}
	for i, step := range r.Plan.Steps {
		p.line("\n# [%d/%d] %s: %s (at most %s)", i+1, len(r.Plan.Steps), step.Name, step.About, r.patience(step))
		for _, chart := range step.Charts {
			if err := r.dryChart(ctx, p, chart); err != nil {
				return fmt.Errorf("step %s: chart %s: %w", step.Name, chart.Name, err)
			}
		}
		for _, object := range step.Objects {
			p.object(object)
		}
		for _, patch := range step.Patches {
			p.line("---\n# patch of %s, once it is there", kube.Name(patch.Object))
			p.commented((&kube.Redactor{}).Values(patch.Merge))
		}
		for _, condition := range step.Ready {
			p.line("# waits until: %s", condition.What)
		}
	}
	return p.err
}

func (r *Runner) dryChart(ctx context.Context, p *printout, chart Chart) error {
	p.line("---\n# chart %s %s of %s as release %s in namespace %s", chart.Name, chart.Version, chart.Repository, chart.Release, chart.Namespace)
	if len(chart.Values) > 0 {
		p.line("# values:")
		p.commented((&kube.Redactor{}).Values(chart.Values))
	}
	if r.Charts == nil {
		p.line("# not rendered: there is no program for charts here")
		return nil
	}
	objects, err := r.Charts.Render(ctx, chart)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		// What was asked for is the plan: a chart that cannot be had from here is
		// shown by its name, its version and why.
		p.line("# not rendered: %s", strings.ReplaceAll(err.Error(), "\n", "\n#   "))
		return nil
	}
	for _, object := range objects {
		p.object(object)
	}
	return nil
}

// printout keeps the first error of what is printed.
type printout struct {
	w   io.Writer
	err error
}

func (p *printout) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printout) object(object *unstructured.Unstructured) {
	text, err := (&kube.Redactor{}).YAML(object)
	if err != nil && p.err == nil {
		p.err = err
	}
	p.line("---\n%s", strings.TrimRight(text, "\n"))
}

// commented prints values that are no object, so that the whole stays one that
// kubectl could read.
func (p *printout) commented(values map[string]any) {
	text, err := yaml.Marshal(values)
	if err != nil && p.err == nil {
		p.err = err
	}
	p.line("#   %s", strings.ReplaceAll(strings.TrimRight(string(text), "\n"), "\n", "\n#   "))
}
