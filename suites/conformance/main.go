package conformance

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/ginkgo/command"
	"github.com/onsi/ginkgo/v2/ginkgo/run"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// Program is the name under which the program runs as a spec process: Ginkgo's
// runner takes nothing without this ending for a compiled suite.
const Program = "conformance.test"

const title = "Floodgate conformance"

// Spec is a spec that a filter selects.
type Spec struct {
	ID       string         `json:"id"`
	Lane     catalogue.Lane `json:"lane"`
	Text     string         `json:"text"`
	Rules    []string       `json:"rules"`
	Variants []string       `json:"variants"`
	Serial   bool           `json:"serial"`
}

// outcome is what Ginkgo tells of a suite's end.
type outcome struct{ failed bool }

func (o *outcome) Fail() { o.failed = true }

// Main is the program run as a spec process: args are Ginkgo's flags. Its exit
// code is 1 where a spec did not pass.
func Main(args []string) int {
	testing.Init()
	if err := flag.CommandLine.Parse(args); err != nil {
		return 2
	}
	harness.FollowParent()
	var result outcome
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(&result, title)
	if result.failed {
		return 1
	}
	return 0
}

// Preview writes the specs that a label filter selects as JSON, runs nothing,
// and returns the exit code.
func Preview(filter string, stdout, stderr io.Writer) int {
	testing.Init()
	if err := flag.CommandLine.Parse([]string{"--ginkgo.label-filter=" + filter}); err != nil {
		return 2
	}
	var specs []Spec
	for _, report := range ginkgo.PreviewSpecs(title).SpecReports {
		if !report.LeafNodeType.Is(types.NodeTypeIt) || report.State.Is(types.SpecStateSkipped) {
			continue
		}
		id, lane := harness.CaseOf(report.Labels())
		specs = append(specs, Spec{ID: id, Lane: lane, Text: report.FullText(), Rules: harness.RulesOf(report.Labels()), Variants: harness.VariantsOf(report.Labels()), Serial: report.IsSerial})
	}
	if err := json.NewEncoder(stdout).Encode(specs); err != nil {
		fmt.Fprintln(stderr, "floodgate:", err)
		return 1
	}
	return 0
}

// Coordinate is the program run as Ginkgo's runner of spec processes: it never
// returns. program is a path that ends in Program. A filter that selects nothing is a
// failure.
func Coordinate(program string, processes int, filter string, seed int64) {
	harness.FollowParent()
	command.Program{
		Name: "floodgate specs", Heading: title,
		Commands:       []command.Command{run.BuildRunCommand()},
		DefaultCommand: run.BuildRunCommand(),
	}.RunAndExit([]string{
		filepath.Base(os.Args[0]), "run",
		"--procs=" + strconv.Itoa(processes), "--label-filter=" + filter, "--fail-on-empty",
		"--keep-going", "--randomize-all", "--seed=" + strconv.FormatInt(seed, 10),
		"--no-color", "--poll-progress-after=0", "--timeout=1h", "--grace-period=10s", program,
	})
}

// Variants are all variants of the policy that specs need.
func Variants(specs []Spec) []string {
	var variants []string
	for _, spec := range specs {
		variants = append(variants, spec.Variants...)
	}
	slices.Sort(variants)
	return slices.Compact(variants)
}
