package harness

import (
	"strings"

	"github.com/onsi/ginkgo/v2"
)

const (
	labelVariant = "variant:"
	labelRule    = "rule:"
)

// On marks a spec that runs on another variant than the user's policy, so that
// a run brings up only what its specs need.
func On(variant string) ginkgo.Labels { return ginkgo.Label(labelVariant + variant) }

// VariantsOf reads the variants that a spec needs off its labels.
func VariantsOf(labels []string) []string {
	var variants []string
	for _, label := range labels {
		if variant, ok := strings.CutPrefix(label, labelVariant); ok {
			variants = append(variants, variant)
		}
	}
	if len(variants) == 0 {
		return []string{Policy}
	}
	return variants
}

// RulesOf reads the rules that a spec is about off its labels.
func RulesOf(labels []string) []string {
	var rules []string
	for _, label := range labels {
		if rule, ok := strings.CutPrefix(label, labelRule); ok {
			rules = append(rules, rule)
		}
	}
	return rules
}
