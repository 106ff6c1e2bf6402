package selftest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

// Fault is a named fault of a stand-in and what must find it.
type Fault struct {
	// Name is COMPONENT:NAME, About what a caller would notice.
	Name, About string
	catalogue.Concern
}

// Opposites are faults that undo each other where they strike together: such a
// system is correct, so nothing can find it.
func opposites(a, b string) bool {
	for _, pair := range [][2]string{
		{"limitador:off-by-one-high", "limitador:off-by-one-low"},
		{"limitador:window-half", "limitador:window-double"},
		{"limitador:window-10-percent-short", "limitador:window-10-percent-long"},
		{"limitador:always-limits", "limitador:never-limits"},
	} {
		if pair == [2]string{a, b} || pair == [2]string{b, a} {
			return true
		}
	}
	return false
}

// Pairs draws combinations of two faults, different ones, from a seed. A fault whose
// case waits for minutes is tried alone only: one such pair takes as long as six others.
func Pairs(faults []Fault, count int, seed int64) [][]Fault {
	random := rand.New(rand.NewPCG(uint64(seed), 2))
	faults = slices.DeleteFunc(slices.Clone(faults), func(fault Fault) bool { return fault.Long })
	var pairs [][]Fault
	for i := range faults {
		for _, second := range faults[i+1:] {
			if !opposites(faults[i].Name, second.Name) {
				pairs = append(pairs, []Fault{faults[i], second})
			}
		}
	}
	random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	return pairs[:min(count, len(pairs))]
}

// Sample draws faults from a seed and keeps their order; 0 draws all.
func Sample(faults []Fault, count int, seed int64) []Fault {
	if count <= 0 || count >= len(faults) {
		return faults
	}
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	chosen := random.Perm(len(faults))[:count]
	slices.Sort(chosen)
	sample := make([]Fault, 0, count)
	for _, i := range chosen {
		sample = append(sample, faults[i])
	}
	return sample
}

// Battery are the cases that a system with these faults is put to, none for lane
// smoke and what the faults need beyond it. Where each fault is known to take a
// case of its own, or one makes every hit wait, only those are run.
func Battery(faults []Fault) []string {
	var cases []string
	slow, beyond := false, true
	for _, fault := range faults {
		slow = slow || len(fault.Cases) > 0
		beyond = beyond && fault.Beyond != ""
		for _, id := range append(slices.Clone(fault.Cases), fault.Beyond) {
			if id != "" && !slices.Contains(cases, id) {
				cases = append(cases, id)
			}
		}
	}
	if slow || beyond {
		return cases
	}
	return nil
}

// Concerned completes a stand-in's fault by what must find it. A fault of which
// nobody has said so is an error: it could count as found by anything.
func Concerned(name, about string) (Fault, error) {
	concern, ok := catalogue.ConcernOf(name)
	if !ok {
		return Fault{}, fmt.Errorf("fault %s: suites/catalogue/concerns.go does not say which rules must find it", name)
	}
	return Fault{Name: name, About: about, Concern: concern}, nil
}
