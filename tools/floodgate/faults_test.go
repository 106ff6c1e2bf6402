package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/conformance"
)

// TestFaultsBeyondSmokeAreReal holds the list of faults that lane smoke leaves
// to other cases to the faults and specs that there are.
func TestFaultsBeyondSmokeAreReal(t *testing.T) {
	var preview, problems bytes.Buffer
	if code := conformance.Preview("", &preview, &problems); code != 0 {
		t.Fatalf("exit code %d: %s", code, problems.String())
	}
	var specs []conformance.Spec
	if err := json.Unmarshal(preview.Bytes(), &specs); err != nil {
		t.Fatal(err)
	}
	for _, fault := range catalogue.FaultsBeyondSmoke() {
		component, name, _ := strings.Cut(fault, ":")
		if known, _ := faultsOf(component); !slices.Contains(known, name) {
			t.Errorf("%s is no fault", fault)
		}
		id := catalogue.FoundBeyondSmoke(fault)
		if !slices.ContainsFunc(specs, func(s conformance.Spec) bool { return s.ID == id && s.Lane != catalogue.Smoke }) {
			t.Errorf("%s: case %s has no spec outside of lane smoke", fault, id)
		}
	}
}

// TestReadmeCountsTheFaults keeps the README's number true.
func TestReadmeCountsTheFaults(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	faults := 0
	for _, names := range componentFaults() {
		faults += len(names)
	}
	if want := fmt.Sprintf("can show %d named faults", faults); !bytes.Contains(readme, []byte(want)) {
		t.Errorf("the README does not say that the stand-ins %s", want)
	}
}
