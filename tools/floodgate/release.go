package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

// behaveAs gives the stand-ins the faults of a release, beside those that were
// asked for one by one. What is real behaves as it does.
func (p *plan) behaveAs(name, provider string, programs map[string]string) error {
	if name == "" {
		return nil
	}
	release, err := catalogue.FindRecorded(name)
	if err != nil {
		return fmt.Errorf("--as: %w", err)
	}
	if provider == providerExisting {
		return fmt.Errorf("--as %s: a system that is there behaves as it does; leave out --as, or use provider local", name)
	}
	own, err := parseNamed("fault", release.Faults, componentFaults())
	if err != nil {
		return fmt.Errorf("--as %s: %w", name, err)
	}
	p.as, p.asFaults = name, map[string][]string{}
	all := maps.Clone(p.faults)
	if all == nil {
		all = map[string][]string{}
	}
	for component, faults := range own {
		if programs[component] != "" {
			continue
		}
		for _, fault := range faults {
			if !slices.Contains(p.faults[component], fault) {
				p.asFaults[component] = append(p.asFaults[component], fault)
			}
		}
		all[component] = append(slices.Clone(p.faults[component]), p.asFaults[component]...)
	}
	p.faults = all
	return nil
}
