package main

import (
	"slices"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// TestEveryFaultHasItsConcern holds suites/catalogue/concerns.go to the faults,
// rules, cases and providers that there are: a fault of which nobody says what
// must find it could count as found by anything.
func TestEveryFaultHasItsConcern(t *testing.T) {
	var rules []string
	for _, rule := range oracle.All() {
		rules = append(rules, rule.Name)
	}
	blamed := []reports.Component{reports.Limiter, reports.Gateway, reports.Authorizer, reports.Model, reports.Prometheus}
	faults := map[string]bool{}
	for component, names := range componentFaults() {
		for _, name := range names {
			fault := component + ":" + name
			faults[fault] = true
			concern, ok := catalogue.ConcernOf(fault)
			if !ok {
				t.Errorf("%s is not in suites/catalogue/concerns.go: name the component to blame and the rules that it breaks", fault)
				continue
			}
			if !slices.Contains(blamed, concern.Blame) {
				t.Errorf("%s is blamed on %q, want one of %q", fault, concern.Blame, blamed)
			}
			if len(concern.Rules) == 0 {
				t.Errorf("%s concerns no rule", fault)
			}
			for _, rule := range concern.Rules {
				if !slices.Contains(rules, rule) {
					t.Errorf("%s concerns the rule %q, which there is not", fault, rule)
				}
			}
			for _, id := range concern.Cases {
				if _, err := catalogue.Find(id); err != nil {
					t.Errorf("%s: %v", fault, err)
				}
			}
			if concern.Provider != "" {
				if _, err := harness.Provider(concern.Provider); err != nil {
					t.Errorf("%s: %v", fault, err)
				}
			}
		}
	}
	for _, fault := range catalogue.Concerned() {
		if !faults[fault] {
			t.Errorf("suites/catalogue/concerns.go: no stand-in has the fault %s", fault)
		}
	}
}
