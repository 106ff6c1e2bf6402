package setup

import (
	"errors"
	"fmt"
	"path/filepath"

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
	if len(options.Ports) > 0 {
		complain("--port: on Kubernetes the components' ports are fixed")
	}
	return errors.Join(wrong...)
}
