package install

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Check tells whether a plan can be carried out at all: names that are unique
// and known, patience, objects with names, no patch of a Secret (what was there
// before would have to be written down).
func (p Plan) Check() error {
	var errs []error
	seen := map[string]bool{}
	if p.Name == "" {
		errs = append(errs, errors.New("the plan has no name"))
	}
	for i, step := range p.Steps {
		switch {
		case step.Name == "":
			errs = append(errs, fmt.Errorf("step %d has no name", i+1))
		case seen[step.Name]:
			errs = append(errs, fmt.Errorf("step %s is there twice", step.Name))
		}
		seen[step.Name] = true
		if step.Patience <= 0 {
			errs = append(errs, fmt.Errorf("step %s: its patience is %s, it must be more than 0", step.Name, step.Patience))
		}
		errs = append(errs, step.check())
	}
	down := map[string]bool{}
	for _, name := range p.Down {
		if !seen[name] {
			errs = append(errs, fmt.Errorf("down names step %s, there are %s", name, p.names()))
		}
		if down[name] {
			errs = append(errs, fmt.Errorf("down names step %s twice", name))
		}
		down[name] = true
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("plan %s: %w", p.Name, err)
	}
	return nil
}

func (s Step) check() error {
	var errs []error
	seen := map[string]bool{}
	for _, object := range s.Objects {
		if object.GetKind() == "" || object.GetAPIVersion() == "" || object.GetName() == "" {
			errs = append(errs, fmt.Errorf("step %s: object %q of kind %q: apiVersion, kind and name are needed", s.Name, object.GetName(), object.GetKind()))
		}
		id := identity(object)
		if seen[id] {
			errs = append(errs, fmt.Errorf("step %s: %s is there twice", s.Name, id))
		}
		seen[id] = true
	}
	for _, patch := range s.Patches {
		if patch.Object == nil || len(patch.Merge) == 0 {
			errs = append(errs, fmt.Errorf("step %s: a patch needs an object and what to merge into it", s.Name))
			continue
		}
		if patch.Object.GetKind() == "Secret" {
			errs = append(errs, fmt.Errorf("step %s: a Secret cannot be patched: what it was before would have to be written down", s.Name))
		}
	}
	for _, chart := range s.Charts {
		if chart.Release == "" || chart.Namespace == "" || chart.Name == "" {
			errs = append(errs, fmt.Errorf("step %s: chart %q: release, namespace and name are needed", s.Name, chart.Name))
		}
	}
	return errors.Join(errs...)
}

func (p Plan) names() string {
	var names []string
	for _, step := range p.Steps {
		names = append(names, step.Name)
	}
	return strings.Join(names, ", ")
}

// checkPatience refuses what a user configured for steps that are not there.
func checkPatience(p Plan, configured map[string]time.Duration) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(configured)) {
		if !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Name == name }) {
			errs = append(errs, fmt.Errorf("patience for step %s: plan %s has no such step, its steps are %s", name, p.Name, p.names()))
		} else if configured[name] <= 0 {
			errs = append(errs, fmt.Errorf("patience for step %s is %s, it must be more than 0", name, configured[name]))
		}
	}
	return errors.Join(errs...)
}

// sameAs tells whether what is installed is this plan.
func (p Plan) sameAs(s *state) error {
	if s.Plan != p.Name {
		return fmt.Errorf("plan %s is installed there already, plan %s cannot be put over it: take it back first with floodgate down", s.Plan, p.Name)
	}
	var differ []string
	names := maps.Clone(p.Versions)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, s.Versions)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if s.Versions[name] != p.Versions[name] {
			differ = append(differ, fmt.Sprintf("%s is %s, not %s", name, orNone(s.Versions[name]), orNone(p.Versions[name])))
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("plan %s is installed there already in other versions (%s): take it back first with floodgate down", p.Name, strings.Join(differ, ", "))
	}
	return nil
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}
