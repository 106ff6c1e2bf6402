package local

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
)

// checked refuses options that cannot work, all at once, before anything is
// started, and makes the programs' paths absolute.
func checked(o cluster.Options) (cluster.Options, error) {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !filepath.IsAbs(o.RunDir) {
		complain("run folder %q: must be absolute", o.RunDir)
	}
	if o.StateDir != "" && !filepath.IsAbs(o.StateDir) {
		complain("folder of the private state %q: must be absolute", o.StateDir)
	}
	if len(o.Variants) == 0 {
		complain("no policy to bring up")
	}
	windowModels := append([]string{""}, limitador.WindowModels()...)
	names := map[string]bool{}
	for _, spec := range o.Variants {
		if names[spec.Name] {
			complain("variant %q is there twice", spec.Name)
		}
		names[spec.Name] = true
		if spec.Interfered && spec.Scalable {
			complain("variant %q: the network of one that has replicas cannot be interfered with here", spec.Name)
		}
		if !slices.Contains(windowModels, spec.WindowModel) {
			complain("variant %q counts by %q: the stand-in for %s knows %s", spec.Name, spec.WindowModel, limiter, strings.Join(limitador.WindowModels(), ", "))
		}
	}
	if !slices.Contains(windowModels, o.WindowModel) {
		complain("window model %q: the stand-in for %s knows %s", o.WindowModel, limiter, strings.Join(limitador.WindowModels(), ", "))
	}
	programs := map[string]string{}
	for _, component := range slices.Sorted(maps.Keys(o.Programs)) {
		program := o.Programs[component]
		if !slices.Contains([]string{limiter, modelServer, prometheus}, component) {
			complain("program for %q: only %s, %s and %s can be real here", component, limiter, modelServer, prometheus)
			continue
		}
		if program == "" || component == prometheus && program == NoPrometheus {
			programs[component] = program
			continue
		}
		path, err := exec.LookPath(program)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			complain("program for %s: %w", component, readable(err))
			continue
		}
		programs[component] = path
	}
	o.Programs = programs
	standIns := []string{limiter, authorizer, gatewayComponent, modelServer}
	for _, component := range slices.Sorted(maps.Keys(o.Faults)) {
		switch {
		case len(o.Faults[component]) == 0, component == prometheus:
		case !slices.Contains(standIns, component):
			complain("faults of %q: there is no such stand-in; there are %s", component, strings.Join(standIns, ", "))
		case programs[component] != "":
			complain("faults of %s: a real program has none of ours; leave out its program or the faults", component)
		}
	}
	for _, component := range slices.Sorted(maps.Keys(o.Manners)) {
		switch {
		case len(o.Manners[component]) == 0:
		case !slices.Contains(standIns, component):
			complain("manners of %q: there is no such stand-in; there are %s", component, strings.Join(standIns, ", "))
		case programs[component] != "":
			complain("manners of %s: a real program has none of ours; leave out its program or the manners", component)
		}
	}
	for component, n := range map[string]int{limiter: o.Limiters, gatewayComponent: o.Gateways} {
		if n < 0 || n > mostReplicas {
			complain("%d stand-ins for %s: want 1 to %d", n, component, mostReplicas)
		}
	}
	if o.PrometheusSkew != 0 && (programs[prometheus] == NoPrometheus || o.PrometheusSkew%time.Millisecond != 0) {
		complain("clock of prometheus %s ahead: want a prometheus, and whole milliseconds", o.PrometheusSkew)
	}
	if o.Limiters > 1 && programs[limiter] != "" {
		complain("%d limiters over one store: that is the stand-in's; leave out its program or the number", o.Limiters)
	}
	if len(errs) > 0 {
		return o, fmt.Errorf("the stack cannot be brought up: %w", errors.Join(errs...))
	}
	return o, nil
}

// readable takes the package's name off an error of os/exec.
func readable(err error) error {
	var lookup *exec.Error
	var path *fs.PathError
	if errors.As(err, &lookup) && !errors.As(err, &path) {
		return fmt.Errorf("%s: %w", lookup.Name, lookup.Err)
	}
	return err
}
