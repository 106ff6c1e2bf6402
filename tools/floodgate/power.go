package main

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// smokeSample is what lane smoke fires by the built-in policies; a test of the
// specs holds it true.
//
//go:embed smoke_sample.json
var smokeSample []byte

// writePower prints, for each rule, the smallest defect that it finds with 95 %
// power at the sample size of a run, or of lane smoke.
func writePower(w io.Writer, runDir string) error {
	sample, source := oracle.NewSample(), "lane smoke by the built-in policies"
	var err error
	if runDir != "" {
		source = runDir
		sample, err = harness.SampleOf(runDir)
	} else {
		err = json.Unmarshal(smokeSample, sample)
	}
	if err != nil {
		return fmt.Errorf("the sample of %s: %w", source, err)
	}
	fmt.Fprintf(w, "the smallest defect that is found in %.0f %% of runs, at the sample size of %s\n\n", 100*oracle.Power, source)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "rule\tdefect\thits\tsmallest share")
	defects := oracle.Defects()
	slices.SortStableFunc(defects, func(a, b oracle.Defect) int {
		return cmp.Compare(oracle.Smallest(sample.Hits[a.Rule]), oracle.Smallest(sample.Hits[b.Rule]))
	})
	for _, d := range defects {
		hits := sample.Hits[d.Rule]
		if hits == 0 {
			fmt.Fprintf(table, "%s\t%s\t0\tnot judged\n", d.Rule, d.What)
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%.2g %%\n", d.Rule, d.What, hits, 100*oracle.Smallest(hits))
	}
	for _, edge := range []struct {
		rule, what string
		part       float64
	}{
		{oracle.NoEarlyReset, "a window that is too short", sample.Shorter},
		{oracle.Resets, "a window that is too long", sample.Longer},
	} {
		told := fmt.Sprintf("%.2g %% of its length, in every run", 100*edge.part)
		if edge.part >= 1 {
			told = "not judged"
		}
		fmt.Fprintf(table, "%s\t%s\t\t%s\n", edge.rule, edge.what, told)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, "\nrules that are not listed judge one thing as a whole: where it is wrong, they fail")
	return err
}
