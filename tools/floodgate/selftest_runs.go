package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/cluster/local"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/selftest"
	suite "github.com/floodgate-dev/floodgate/suites/selftest"
)

// selfTestPatience bounds one run of a self-test: one that hangs is no result,
// and must not keep the others from theirs.
const selfTestPatience = 5 * time.Minute

// trial is one run to make, and what becomes of it.
type trial struct {
	name string
	args []string
	// words repeat it by hand.
	words []string
	busy  bool
	// visited is the port on loopback that others than the run call too, 0 for none.
	visited int
	// alone is true of a run beside which there must be none.
	alone bool
	// long is true of a run that waits for minutes.
	long bool
	keep func(suite.Run, time.Duration) (line string, wrong bool)
}

// tryAll makes all runs, some side by side, and fills the report in the order of
// the lists. A self-test that is interrupted leaves out what it did not try.
func (t *selfTest) tryAll(ctx context.Context, out io.Writer, report *selftest.Report) {
	single := make([]*selftest.Trial, len(t.faults))
	pairs := make([]*selftest.Trial, len(t.pairs))
	correct := make([]*selftest.Variant, len(t.variants))
	var trials []trial
	// What waits longest is begun first.
	for i, variant := range t.variants {
		trials = append(trials, t.variantTrial(variant, &correct[i]))
	}
	for i, fault := range t.faults {
		trials = append(trials, t.faultTrial([]suite.Fault{fault}, &single[i]))
	}
	for i, pair := range t.pairs {
		trials = append(trials, t.faultTrial(pair, &pairs[i]))
	}
	t.sideBySide(ctx, out, trials)
	report.Single = append(report.Single, thoseThere(single)...)
	report.Combined = append(report.Combined, thoseThere(pairs)...)
	report.Correct = append(report.Correct, thoseThere(correct)...)
}

// thoseThere are the results that there are.
func thoseThere[T any](results []*T) []T {
	var there []T
	for _, result := range results {
		if result != nil {
			there = append(there, *result)
		}
	}
	return there
}

func (t *selfTest) faultTrial(faults []suite.Fault, into **selftest.Trial) trial {
	var names, words []string
	provider, book, alone, long, multitude := "", false, false, false, 0
	for _, fault := range faults {
		names = append(names, fault.Name)
		words = append(words, "--fault", fault.Name)
		book = book || fault.Prometheus
		provider, alone = cmp.Or(provider, fault.Provider), alone || fault.Alone
		long, multitude = long || fault.Long, max(multitude, fault.Multitude)
	}
	for _, id := range suite.Battery(faults) {
		words = append(words, "--case", id)
	}
	if multitude > 0 {
		words = append(words, "--multitude", strconv.Itoa(multitude))
	}
	// Weaknesses that providers declare are faults here.
	words = append(append(stackWords(provider, book), "--declare", declareNone), words...)
	return trial{
		name: strings.ReplaceAll(strings.Join(names, "+"), ":", "-"), args: words, words: words, alone: alone, long: long,
		keep: func(run suite.Run, took time.Duration) (string, bool) {
			result := suite.TrialOf(faults, run)
			result.Took = took
			wrong := !result.Killed || !result.Attributed
			if !wrong && !t.options.keep {
				result.Evidence = ""
			}
			*into = &result
			return selfTestLine(result), wrong
		},
	}
}

// stackWords choose the stack: stand-ins in one process, which is all that most
// trials need, or in processes of their own with a Prometheus.
func stackWords(provider string, prometheus bool) []string {
	switch {
	case prometheus:
		return []string{"--provider", (&local.Provider{}).Name()}
	case provider == "":
		provider = double.New().Name()
	}
	return []string{"--provider", provider, "--prometheus", local.NoPrometheus}
}

func (t *selfTest) variantTrial(variant suite.Variant, into **selftest.Variant) trial {
	words := stackWords(variant.Provider, variant.Prometheus)
	for _, manner := range variant.Manners {
		words = append(words, "--manner", manner)
	}
	for _, id := range variant.Cases {
		words = append(words, "--case", id)
	}
	words = append(words, variant.Args...)
	args := slices.Clone(words)
	if variant.Policies != "" {
		args = append(args, "--policies", t.policies(variant.Policies))
	}
	visited := 0
	if variant.Visited {
		visited = visitedPort()
		args = append(args, "--port", fmt.Sprintf("gateway=%d", visited))
	}
	return trial{
		name: "correct-" + variant.Name, args: args, words: []string{"--variant", variant.Name}, busy: variant.Busy, visited: visited,
		keep: func(run suite.Run, took time.Duration) (string, bool) {
			run.Again = "floodgate selftest --seed " + strconv.FormatInt(t.options.seed, 10) + " --variant " + variant.Name
			result := suite.VariantOf(variant, run)
			result.Took = took
			wrong := len(result.Alarms) > 0 || result.Judged == 0 || result.Reason != ""
			if !wrong && !t.options.keep {
				result.Evidence = ""
			}
			*into = &result
			return variantLine(result), wrong
		},
	}
}

// sideBySide makes the runs and removes the folders of those that went as they
// should.
func (t *selfTest) sideBySide(ctx context.Context, out io.Writer, trials []trial) {
	var printing sync.Mutex
	done := 0
	places := make(chan struct{}, t.options.jobs)
	var running sync.WaitGroup
	// Those that must be alone come last, when the others have ended.
	turn := func(one trial) int {
		switch {
		case one.alone:
			return 2
		case one.long:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(trials, func(a, b trial) int { return cmp.Compare(turn(a), turn(b)) })
	for _, one := range trials {
		if one.alone {
			running.Wait()
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-places }()
			began := time.Now()
			run := t.make(ctx, one)
			if ctx.Err() != nil {
				// What was cut off says nothing.
				return
			}
			took := time.Since(began)
			printing.Lock()
			defer printing.Unlock()
			line, wrong := one.keep(run, took)
			if !wrong && !t.options.keep {
				_ = os.RemoveAll(t.folder(one))
			}
			done++
			fmt.Fprintf(out, "[%*d/%d] %s  %s\n", len(strconv.Itoa(len(trials))), done, len(trials), line, took.Round(time.Second))
		})
	}
	running.Wait()
}

func (t *selfTest) folder(one trial) string { return filepath.Join(t.dir, one.name) }

// make makes one run in a process of its own, whose end is ours: it ends with the
// pipe that we hold, however we end.
func (t *selfTest) make(ctx context.Context, one trial) suite.Run {
	run := suite.Run{Again: strings.Join(append(append([]string{"floodgate", "run"}, one.words...), "--seed", strconv.FormatInt(t.options.seed, 10)), " ")}
	if err := t.start(ctx, one, &run); err != nil {
		run.Problem = err.Error()
	}
	return run
}

func (t *selfTest) start(ctx context.Context, one trial, run *suite.Run) error {
	dir := t.folder(one)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "run.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, selfTestPatience)
	defer cancel()
	if one.busy {
		defer keepBusy(ctx)()
	}
	if one.visited != 0 {
		leave, err := visit(ctx, one.visited)
		if err != nil {
			return err
		}
		defer leave()
	}
	args := append([]string{"run", "--" + leashFlag, "--out", dir, "--seed", strconv.FormatInt(t.options.seed, 10)}, one.args...)
	cmd := exec.CommandContext(ctx, self, args...)
	// No floodgate.yaml and no setting of the user's is meant for these runs.
	cmd.Dir, cmd.Env = t.scratch, withoutSettings(os.Environ())
	cmd.Stdout, cmd.Stderr = log, log
	leash, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = leash.Close
	cmd.WaitDelay = settleTime + downTime
	err = cmd.Run()
	run.Evidence = filepath.Join(t.shownDir, one.name)
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("it was ended after %s", selfTestPatience)
	case errors.As(err, &ended) && (ended.ExitCode() == exitFail || ended.ExitCode() == exitInconclusive):
	case err != nil:
		return fmt.Errorf("%w; see %s", err, filepath.Join(t.shownDir, one.name, "run.log"))
	}
	return run.Read(dir)
}

// withoutSettings takes out what configures a run.
func withoutSettings(environment []string) []string {
	return slices.DeleteFunc(environment, func(setting string) bool {
		return strings.HasPrefix(setting, "FLOODGATE_")
	})
}

// keepBusy keeps every core busy until the returned function is called.
func keepBusy(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var spinning sync.WaitGroup
	for range runtime.NumCPU() {
		spinning.Go(func() {
			for ctx.Err() == nil {
				for range 1 << 16 { //nolint:revive // it is the point that nothing comes of it
				}
			}
		})
	}
	return func() {
		cancel()
		spinning.Wait()
	}
}

// everyFault are the faults of all stand-ins and what must find them.
func everyFault() ([]suite.Fault, error) {
	var faults []suite.Fault
	var wrong []error
	for _, component := range faultyComponents() {
		for _, fault := range describedFaults()[component] {
			concerned, err := suite.Concerned(component+":"+fault.name, fault.about)
			wrong = append(wrong, err)
			faults = append(faults, concerned)
		}
	}
	return faults, errors.Join(wrong...)
}

func selfTestLine(result selftest.Trial) string {
	state := "killed  "
	detail := strings.Join(result.Finders(), ", ")
	switch {
	case !result.Killed:
		state, detail = "SURVIVED", result.Reason
	case !result.Attributed:
		state, detail = "MISBLAMED", result.Reason
	}
	return reports.Visible(fmt.Sprintf("%s  %-40s %s", state, result.Name(), detail))
}

func variantLine(result selftest.Variant) string {
	state, detail := "correct ", fmt.Sprintf("%d cases judged, %d inconclusive", result.Judged, result.Doubts)
	switch {
	case len(result.Alarms) > 0:
		state, detail = "ACCUSED ", result.Alarms[0]
	case result.Reason != "":
		state, detail = "NO VERDICT", result.Reason
	}
	return reports.Visible(fmt.Sprintf("%s  %-40s %s", state, result.Name, detail))
}
