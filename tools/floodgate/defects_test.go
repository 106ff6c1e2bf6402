package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/conformance"
)

func allSpecs(t *testing.T) []conformance.Spec {
	t.Helper()
	var preview, problems bytes.Buffer
	if code := conformance.Preview("", &preview, &problems); code != 0 {
		t.Fatalf("exit code %d: %s", code, problems.String())
	}
	var specs []conformance.Spec
	if err := json.Unmarshal(preview.Bytes(), &specs); err != nil {
		t.Fatal(err)
	}
	return specs
}

// TestDefectsAreReal holds the list of known defects to the faults, specs and
// weaknesses that there are.
func TestDefectsAreReal(t *testing.T) {
	specs := allSpecs(t)
	for _, d := range catalogue.Defects() {
		if d.Title == "" || d.Upstream == "" || d.Versions == "" {
			t.Errorf("%+v: a defect says what is noticed, from where it is known and in which versions", d)
		}
		if !slices.ContainsFunc(specs, func(s conformance.Spec) bool { return s.ID == d.Case && s.Lane != catalogue.Seed }) {
			t.Errorf("%q: case %s has no spec", d.Title, d.Case)
		}
		if d.Fault == "" && d.Arguments == "" {
			t.Errorf("%q: neither a fault nor arguments show it", d.Title)
		}
		if component, name, _ := strings.Cut(d.Fault, ":"); d.Fault != "" {
			if known, _ := faultsOf(component); !slices.Contains(known, name) {
				t.Errorf("%q: %s is no fault", d.Title, d.Fault)
			}
		}
		if d.Weakness != "" {
			if _, err := weakness.Find(d.Weakness); err != nil {
				t.Errorf("%q: %v", d.Title, err)
			}
		}
		if _, folder, found := strings.Cut(d.Arguments, "--policies "); found {
			if _, err := os.Stat("../../" + folder); err != nil {
				t.Errorf("%q: %v", d.Title, err)
			}
		}
	}
}

// TestDefectsFileIsCurrent keeps suites/DEFECTS.md what floodgate defects writes.
func TestDefectsFileIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := catalogue.WriteDefects(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../suites/DEFECTS.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("suites/DEFECTS.md is not what floodgate defects writes: go generate ./tools/floodgate")
	}
}

// TestRecordingsAreReal holds the recorded releases to the faults and specs that
// there are.
func TestRecordingsAreReal(t *testing.T) {
	specs := allSpecs(t)
	for _, r := range catalogue.Recordings() {
		if _, err := parseNamed("fault", r.Faults, componentFaults()); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		ids := slices.Clone(r.Weak)
		for id, rules := range r.Fails {
			ids = append(ids, id)
			if len(rules) == 0 {
				t.Errorf("%s: %s fails by no rule", r.Name, id)
			}
		}
		for _, id := range ids {
			if !slices.ContainsFunc(specs, func(s conformance.Spec) bool { return s.ID == id }) {
				t.Errorf("%s: case %s has no spec", r.Name, id)
			}
		}
	}
}
