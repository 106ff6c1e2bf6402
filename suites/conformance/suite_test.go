package conformance

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// TestConformance runs lane smoke, as Ginkgo runs specs everywhere, on
// stand-ins in this process: no spec may accuse them, and none may be in doubt.
func TestConformance(t *testing.T) {
	runDir := t.TempDir()
	system, err := double.New().Up(t.Context(), cluster.Options{
		RunDir: runDir, Variants: seedVariants(t), Seed: 1, Progress: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	session := harness.Session{Run: "test", Lane: string(catalogue.Smoke), Seed: 1, Again: "go test ./suites/conformance", Stack: system.Stack()}
	if err := harness.WriteSession(runDir, session); err != nil {
		t.Fatal(err)
	}
	bed, err = harness.NewBed(runDir, session, system)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Close(); err != nil {
			t.Error(err)
		}
	})

	gomega.RegisterFailHandler(ginkgo.Fail)
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.LabelFilter, suite.FailOnEmpty = "lane:smoke", true
	ginkgo.RunSpecs(t, title, suite, reporter)

	cases, err := harness.ReadCases(runDir)
	if err != nil {
		t.Fatal(err)
	}
	sampleIsTrue(t, runDir)
	wanted := smokeCases(t)
	for _, c := range cases {
		if c.Verdict != reports.Pass {
			t.Errorf("%s: %s: %s", c.ID, c.Verdict, c.Reason)
		}
		wanted = slices.DeleteFunc(wanted, func(id string) bool { return id == c.ID })
	}
	if len(wanted) > 0 {
		t.Errorf("cases of lane smoke without a spec: %v", wanted)
	}
}

// smokeCases are the cases of lane smoke. Token limits have no specs yet.
func smokeCases(t *testing.T) []string {
	t.Helper()
	cases, err := catalogue.All()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range cases {
		if c.Lane == catalogue.Smoke && c.ID != "T01" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func seedVariants(t *testing.T) []cluster.VariantSpec {
	t.Helper()
	set, err := policy.ReadFS(seed.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	twin, err := set.Scaled(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var variants []cluster.VariantSpec
	for name, variant := range map[string]*policy.Set{harness.Policy: set, harness.Twin: twin, harness.Open: set.WithoutRateLimits()} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := variant.Write(dir); err != nil {
			t.Fatal(err)
		}
		variants = append(variants, cluster.VariantSpec{Name: name, Dir: dir})
	}
	return variants
}

// update writes what lane smoke has fired, for floodgate cases --power.
var update = flag.Bool("update", false, "write tools/floodgate/smoke_sample.json")

// sampleIsTrue holds the sample sizes that floodgate cases --power prints to what
// the specs have really fired: they may be more, not fewer.
func sampleIsTrue(t *testing.T, runDir string) {
	t.Helper()
	const file = "../../tools/floodgate/smoke_sample.json"
	sample, err := harness.SampleOf(runDir)
	if err != nil {
		t.Fatal(err)
	}
	// This process has no Prometheus; a real run asks the same of its book.
	sample.Hits[oracle.PrometheusAgrees] = sample.Hits[oracle.Reconciled]
	if *update {
		content, err := json.MarshalIndent(sample, "", "  ")
		if err == nil {
			err = os.WriteFile(file, append(content, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	said := oracle.NewSample()
	if err := json.Unmarshal(content, said); err != nil {
		t.Fatal(err)
	}
	for rule, hits := range said.Hits {
		if sample.Hits[rule] < hits {
			t.Errorf("%s: %d hits were judged, cases --power says %d: go test ./suites/conformance -run TestConformance -update", rule, sample.Hits[rule], hits)
		}
	}
}
