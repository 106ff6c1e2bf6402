package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// Recorded is a release of Kuadrant as it was recorded: the faults that make the
// stack of stand-ins behave as it did, and what lane full says of it.
type Recorded struct {
	// Name is what --as takes.
	Name string
	// Parts are the components that were recorded.
	Parts string
	// Faults are COMPONENT:NAME.
	Faults []string
	// Fails are the cases that fail, each with the rules that can: how a defect
	// shows depends on the moment, that it shows does not. Cases on policies whose
	// limits read the body fail where such limits are not enforced.
	Fails map[string][]string
	// Weak are the cases that pass with a declared weakness.
	Weak []string
}

// Recordings lists the releases that were recorded.
func Recordings() []Recorded {
	return []Recorded{{
		Name:  "kuadrant-1.5.2",
		Parts: "kuadrant-operator 1.5.2: limitador 2.4, authorino 0.26.2, wasm-shim 0.14.1",
		Faults: []string{
			"authorino:duplicate-key-loses-winner", "authorino:stale-tier", "authorino:startup-401", "authorino:unlabelled-unwatched",
			"gateway:body-predicate-ignored", "gateway:host-case-sensitive", "gateway:label-failure-passes",
			"gateway:misses-path-variants", "gateway:old-connections-keep-policy", "gateway:second-token-check-late",
			"gateway:token-answer-hangs", "gateway:unevaluable-passes",
			"limitador:counters-show-old-max", "limitador:in-place-read-empty", "limitador:refused-call-opens-window",
			"limitador:remaining-wraps", "limitador:rename-unnoticed", "limitador:reset-header-zero",
			"limitador:sigterm-lingers", "limitador:status-before-grpc",
		},
		Fails: map[string][]string{
			"A05": {"served", "takes-effect"},
			"A06": {"takes-effect"},
			"A07": {"takes-effect"},
			"A08": {"stays-known"},
			"H03": {"reset-told"},
			"I04": {"no-overrun"},
			"I11": {"moved-tier"},
			"I16": {"no-bypass"},
			"I17": {"metered", "no-overrun", "reconciled"},
			"P02": {"counters-tell"},
			"P03": {"counters-tell"},
			"P16": {"takes-effect"},
			"S11": {"counters-tell"},
			"S12": {"ready-means-serving"},
			"S13": {"stopped-is-silent"},
			"S14": {"limits-in-force", "no-overrun"},
			"T10": {"tokens-spent"},
			"T15": {"answers-end"},
			"T17": {"metered", "no-overrun"},
			"W14": {"refusals-open-nothing"},
		},
		Weak: []string{"C05", "F01", "F03", "F04", "F13", "M17", "S01", "S09"},
	}}
}

// FindRecorded returns the release of a name; the error of an unknown name lists
// all.
func FindRecorded(name string) (Recorded, error) {
	var known []string
	for _, r := range Recordings() {
		if r.Name == name {
			return r, nil
		}
		known = append(known, r.Name)
	}
	return Recorded{}, fmt.Errorf("release %q was not recorded: want %s", name, strings.Join(known, ", "))
}

// Seen is what a run found of one case: the rules that failed, and whether it
// passed with a declared weakness.
type Seen struct {
	Failed []string
	Weak   bool
}

// Differs says in what a run is not what was recorded: a line for each case that
// fails and should not, or should and does not, or fails by a rule that was not
// recorded, and for each that a declared weakness lets pass, or should.
func (r Recorded) Differs(seen map[string]Seen) []string {
	var lines []string
	differs := func(id, format string, args ...any) {
		lines = append(lines, id+": "+fmt.Sprintf(format, args...))
	}
	for id, kase := range seen {
		recorded := r.Fails[id]
		unknown := slices.DeleteFunc(slices.Clone(kase.Failed), func(rule string) bool { return slices.Contains(recorded, rule) })
		switch {
		case len(recorded) > 0 && len(kase.Failed) == 0:
			differs(id, "does not fail by any of %s", strings.Join(recorded, ", "))
		case len(unknown) > 0:
			differs(id, "fails by %s", strings.Join(unknown, ", "))
		case kase.Weak != slices.Contains(r.Weak, id):
			differs(id, "passes with a declared weakness: %v, recorded %v", kase.Weak, !kase.Weak)
		}
	}
	for _, id := range append(sortedKeys(r.Fails), r.Weak...) {
		if _, judged := seen[id]; !judged {
			differs(id, "was not judged")
		}
	}
	slices.Sort(lines)
	return lines
}
