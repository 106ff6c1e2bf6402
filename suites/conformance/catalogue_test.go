package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

// previewOf names the process that lists the specs: Ginkgo builds the tree of
// one suite in a process.
const previewOf = "FLOODGATE_TEST_PREVIEW"

// TestMain lists the specs where the test of the catalogue asks for them.
func TestMain(m *testing.M) {
	if os.Getenv(previewOf) != "" {
		os.Exit(Preview("", os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestCatalogueAndSpecsAreTheSame holds every case to a spec or a reason.
func TestCatalogueAndSpecsAreTheSame(t *testing.T) {
	listing := exec.CommandContext(t.Context(), os.Args[0])
	listing.Env = append(os.Environ(), previewOf+"=1")
	var complaints bytes.Buffer
	listing.Stderr = &complaints
	output, err := listing.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaints.Bytes())
	}
	var specs []Spec
	if err := json.Unmarshal(output, &specs); err != nil {
		t.Fatal(err)
	}
	var specified []string
	for _, spec := range specs {
		specified = append(specified, spec.ID)
		if len(spec.Rules) == 0 {
			t.Errorf("%s: no rule: label its container rule:NAME", spec.ID)
		}
	}
	wrong, err := catalogue.Mismatches(specified)
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range wrong {
		t.Error(difference)
	}
}
