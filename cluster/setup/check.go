package setup

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/floodgate-dev/floodgate/cluster"
)

// Check returns all that is wrong with options, before anything starts.
func Check(options cluster.Options) error {
	var wrong []error
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !filepath.IsAbs(options.RunDir) {
		complain("run folder %q: must be absolute", options.RunDir)
	}
	if len(options.Variants) == 0 {
		complain("no policy to bring up")
	}
	names := map[string]bool{}
	for _, spec := range options.Variants {
		if names[spec.Name] {
			complain("variant %q is there twice", spec.Name)
		}
		names[spec.Name] = true
	}
	if options.Kubernetes.Plan == cluster.PlanKuadrant && len(options.Faults) > 0 {
		complain("faults: stack kuadrant has no stand-ins to show them; use --stack standin")
	}
	for component := range options.Programs {
		if component != "prometheus" {
			complain("--%s: a program of this machine cannot run in a pod", component)
		}
	}
	for _, component := range slices.Sorted(maps.Keys(options.Ports)) {
		complain("--port %s: on Kubernetes the components' ports are fixed", component)
	}
	return errors.Join(wrong...)
}
