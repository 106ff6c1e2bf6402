// Package catalogue is the list of conformance cases: what a correct limiter
// must do, by ID. It says nothing of how a case is run; the specs do.
package catalogue

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed cases.tsv
var table string

// Lane says when a case runs.
type Lane string

// The lanes. Smoke gates pull requests, full and release add to it, seed waits
// for the policy's real windows, random draws policies and schedules, and unit
// cases are proved by the suite's own tests.
const (
	Smoke   Lane = "smoke"
	Full    Lane = "full"
	Release Lane = "release"
	Seed    Lane = "seed"
	Random  Lane = "random"
	Unit    Lane = "unit"
)

var lanes = map[string]Lane{"S": Smoke, "F": Full, "R": Release, "random": Random, "unit": Unit}

// Case is one entry of the catalogue.
type Case struct {
	ID      string
	Lane    Lane
	Chapter string
	// Given is the situation and what is fired, Expected what a correct
	// limiter does, Reveals the defect that a failure points to.
	Given, Expected, Reveals string
}

// All returns the catalogue in its own order. It fails on a malformed table,
// which a test rules out.
func All() ([]Case, error) {
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	cases := make([]Case, 0, len(lines))
	for number, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		if len(cells) != 6 {
			return nil, fmt.Errorf("cases.tsv:%d: %d columns, want 6", number+2, len(cells))
		}
		lane, known := lanes[cells[1]]
		if !known {
			return nil, fmt.Errorf("cases.tsv:%d: lane %q is unknown", number+2, cells[1])
		}
		cases = append(cases, Case{
			ID: cells[0], Lane: lane, Chapter: cells[2],
			Given: cells[3], Expected: cells[4], Reveals: cells[5],
		})
	}
	return cases, nil
}

// Find returns the case of an ID.
func Find(id string) (Case, error) {
	cases, err := All()
	if err != nil {
		return Case{}, err
	}
	at := slices.IndexFunc(cases, func(c Case) bool { return c.ID == id })
	if at < 0 {
		return Case{}, fmt.Errorf("case %q is not in the catalogue", id)
	}
	return cases[at], nil
}

// Filter is the label filter that selects a lane's specs: a lane contains the
// lanes before it, and "seed" stands alone because it waits for real windows.
func (l Lane) Filter() (string, error) {
	switch l {
	case Smoke:
		return "lane:smoke", nil
	case Full:
		return "lane:smoke || lane:full", nil
	case Release:
		return "lane:smoke || lane:full || lane:release || lane:seed || lane:random", nil
	case Seed, Random:
		return "lane:" + string(l), nil
	case Unit:
	}
	return "", fmt.Errorf("lane %q cannot be run: want smoke, seed, full, random or release", l)
}
