package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/html"
	"github.com/floodgate-dev/floodgate/reports/selftest"
	"github.com/floodgate-dev/floodgate/reports/terminal"
	"github.com/floodgate-dev/floodgate/suites/oracle"
	suite "github.com/floodgate-dev/floodgate/suites/selftest"
)

// The files of a self-test's folder.
const (
	selfTestFile = "selftest.json"
	selfTestPage = "selftest.html"
)

// selfTestOptions are what a user asks of a self-test.
type selfTestOptions struct {
	json, out           string
	faults, variants    []string
	sample, pairs, jobs int
	seed                int64
	keep                bool
}

func selfTestCommand() *cobra.Command {
	var o selfTestOptions
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Try the suite on every broken stand-in and on every correct one",
		Long: `Run lane smoke, and the cases that a fault is declared to need, against every named
fault of every stand-in, against pairs of faults, and against correct systems that
are unusual in one way. Print which rule has found which fault.

A fault is killed only by a rule that concerns it and fails; a doubt finds nothing.
It is attributed if they blame its component more often than any other. Of a pair it
is promised that neither fault hides both: a rule that concerns one of them fails.

Exit codes: 0 every fault is killed, 95 % are attributed and no correct system is
accused; 1 otherwise; 3 a correct system came to no verdict, or it was interrupted.`,
		Example: `  floodgate selftest --json selftest.json
  floodgate selftest --fault limitador:expiry-race --keep
  floodgate selftest --variant loaded
  floodgate selftest --sample 6 --pairs 2 --variant slow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := configure(cmd); err != nil {
				return &exit{exitUsage, err}
			}
			t, err := o.prepare()
			if err != nil {
				return &exit{exitUsage, err}
			}
			return t.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	o.register(cmd.Flags())
	return cmd
}

func (o *selfTestOptions) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.json, "json", "", "write the result to this file too")
	flags.StringVar(&o.out, "out", "out", "folder for the self-test's folder")
	flags.StringSliceVar(&o.faults, "fault", nil, "only this fault, COMPONENT:NAME (repeatable)")
	flags.StringSliceVar(&o.variants, "variant", nil, "only this correct variant (repeatable)")
	flags.IntVar(&o.sample, "sample", 0, "only so many faults, drawn from the seed; 0 for all")
	flags.IntVar(&o.pairs, "pairs", 24, "combinations of two faults, drawn from the seed")
	flags.IntVar(&o.jobs, "jobs", 4*runtime.NumCPU(), "runs side by side; most of a run is waiting for windows")
	flags.Int64Var(&o.seed, "seed", 41, "draws samples and pairs, and what is random in the runs")
	flags.BoolVar(&o.keep, "keep", false, "keep the folders of all runs, not only of those that went wrong")
}

// selfTest is a self-test that has been checked and can start.
type selfTest struct {
	options  selfTestOptions
	faults   []suite.Fault
	pairs    [][]suite.Fault
	variants []suite.Variant
	// untried are faults that no case can show, and why.
	untried []string
	// dir is the self-test's folder, shownDir the same as the user named it,
	// scratch its private one.
	dir, shownDir, scratch string
}

// prepare refuses what cannot be meant.
func (o *selfTestOptions) prepare() (*selfTest, error) {
	t := &selfTest{options: *o}
	var wrong []error
	if o.jobs < 1 || o.jobs > 64 {
		wrong = append(wrong, fmt.Errorf("--jobs %d: want 1 to 64", o.jobs))
	}
	if o.sample < 0 || o.pairs < 0 {
		wrong = append(wrong, errors.New("--sample, --pairs: want 0 or more"))
	}
	every, err := everyFault()
	if err != nil {
		return nil, err
	}
	var all []suite.Fault
	for _, fault := range every {
		if fault.Unshown != "" {
			t.untried = append(t.untried, fault.Name+": "+fault.Unshown)
			continue
		}
		all = append(all, fault)
	}
	for _, name := range o.faults {
		at := slices.IndexFunc(all, func(f suite.Fault) bool { return f.Name == name })
		if at < 0 {
			wrong = append(wrong, fmt.Errorf("--fault %q: no stand-in has it, or no case shows it; floodgate standin NAME --list-faults names them", name))
			continue
		}
		t.faults = append(t.faults, all[at])
	}
	for _, name := range o.variants {
		at := slices.IndexFunc(suite.Variants(), func(v suite.Variant) bool { return v.Name == name })
		if at < 0 {
			wrong = append(wrong, fmt.Errorf("--variant %q is unknown: want one of %s", name, strings.Join(variantNames(), ", ")))
			continue
		}
		t.variants = append(t.variants, suite.Variants()[at])
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	switch {
	case len(o.faults) > 0:
		// Only what was named.
	case len(o.variants) > 0 && o.sample == 0:
	default:
		t.faults = suite.Sample(all, o.sample, o.seed)
		t.pairs = suite.Pairs(all, o.pairs, o.seed)
		if len(o.variants) == 0 {
			t.variants = suite.Variants()
		}
	}
	return t, nil
}

// whole tells whether everything is tried that there is.
func (t *selfTest) whole() bool {
	return len(t.options.faults) == 0 && len(t.options.variants) == 0 && t.options.sample == 0
}

func variantNames() []string {
	var names []string
	for _, variant := range suite.Variants() {
		names = append(names, variant.Name)
	}
	return names
}

// run tries everything and says how it went.
func (t *selfTest) run(ctx context.Context, out io.Writer) (err error) {
	began := time.Now()
	if t.shownDir, t.dir, err = makeRunDir(t.options.out, "selftest-"+began.UTC().Format("20060102T150405Z")); err != nil {
		return &exit{exitUsage, err}
	}
	if t.scratch, err = makePrivate(); err != nil {
		return &exit{exitUsage, fmt.Errorf("make room for the runs: %w", err)}
	}
	defer os.RemoveAll(t.scratch)
	if err := t.writePolicies(); err != nil {
		return &exit{exitUsage, err}
	}
	report := &selftest.Report{
		Version: version(), Seed: t.options.seed, Untried: t.untried, Sampled: !t.whole(), Began: began,
		Single: []selftest.Trial{}, Combined: []selftest.Trial{}, Correct: []selftest.Variant{},
	}
	fmt.Fprintf(out, "floodgate %s · selftest · seed %d\n%d faults, %d pairs, %d correct variants, %d side by side\n",
		version(), t.options.seed, len(t.faults), len(t.pairs), len(t.variants), t.options.jobs)
	t.tryAll(ctx, out, report)
	report.Duration = time.Since(began)
	report.Settle(ruleNames())
	if ctx.Err() != nil {
		report.Interrupt()
	}
	return t.close(out, report)
}

// close writes the report in all its forms; its error carries the exit code.
func (t *selfTest) close(out io.Writer, report *selftest.Report) error {
	err := selftest.Write(filepath.Join(t.dir, selfTestFile), report)
	if t.options.json != "" {
		err = errors.Join(err, selftest.Write(t.options.json, report))
	}
	page := filepath.Join(t.dir, selfTestPage)
	err = errors.Join(err, reports.WriteAtomic(page, func(w io.Writer) error { return html.RenderSelfTest(w, report) }))
	printer := terminal.Printer{Out: out, Dir: t.shownDir, Colour: onTerminal(out)}
	if err = errors.Join(err, printer.SelfTest(report, filepath.Join(t.shownDir, selfTestPage))); err != nil {
		return &exit{exitInconclusive, err}
	}
	switch report.Verdict {
	case reports.Pass:
		return nil
	case reports.Fail:
		return &exit{code: exitFail}
	case reports.Inconclusive, reports.NotJudged:
	}
	return &exit{code: exitInconclusive}
}

// writePolicies writes the policies of the variants that have one of their own.
func (t *selfTest) writePolicies() error {
	set, err := readPolicies(seedPolicies)
	if err != nil {
		return err
	}
	made := map[string]func() (*policy.Set, error){
		suite.SmallQuotas: func() (*policy.Set, error) { return suite.WithSmallQuotas(set) },
		suite.LargeQuotas: func() (*policy.Set, error) { return suite.WithLargeQuotas(set) },
		suite.OtherPolicy: policy.Other,
	}
	for _, variant := range t.variants {
		make, ok := made[variant.Policies]
		if !ok {
			continue
		}
		changed, err := make()
		if err == nil {
			err = changed.Write(t.policies(variant.Policies))
		}
		if err != nil {
			return fmt.Errorf("policy of variant %s: %w", variant.Name, err)
		}
	}
	return nil
}

func (t *selfTest) policies(name string) string { return filepath.Join(t.scratch, "policies-"+name) }

func ruleNames() []string {
	names := []string{oracle.Assumptions}
	for _, rule := range oracle.All() {
		names = append(names, rule.Name)
	}
	return names
}
