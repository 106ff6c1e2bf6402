package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/junit"
	"github.com/floodgate-dev/floodgate/reports/render"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const recordFile = "record.json"

// reserveSize is more than the record of a lane takes.
const reserveSize = 512 << 10

// deathNoticed is how long a component can have been dead before its end is
// noticed.
const deathNoticed = 2 * time.Second

// chronicle keeps the run's record on disk while the run goes, so that a killed
// run leaves one that says so.
type chronicle struct {
	plan   *plan
	record *reports.Record
	// deaths are components that ended on their own, diedAt when the first of
	// them was surely still alive.
	deaths []cluster.Death
	diedAt time.Time
	// diagnosing is nil until the stack is up.
	diagnosing *diagnosing
}

func newChronicle(p *plan) (*chronicle, error) {
	j := &chronicle{plan: p, record: &reports.Record{
		APIVersion: reports.APIVersion, Interrupted: true, Reason: "the run has not ended",
		Run: filepath.Base(p.dir), Version: version(), Lane: string(p.lane), Whole: p.whole, Seed: p.seed, WindowModel: string(p.windowModel),
		Command: os.Args, Began: time.Now(), Policies: p.policies, Tiers: p.set.Tiers(),
		Stack: reports.Stack{Provider: p.provider.Name()}, Doubt: reports.Doubt{Budget: p.maxDoubt},
	}}
	if p.lane != catalogue.Random {
		for _, left := range p.set.Elsewhere() {
			j.warn("%s", left)
		}
	}
	return j, errors.Join(j.keepReserve(), j.write())
}

// keepReserve takes room on the disk that the last record needs: a run that
// fills the disk must still be able to say so.
func (j *chronicle) keepReserve() error {
	if err := os.WriteFile(j.reserve(), make([]byte, reserveSize), 0o644); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

func (j *chronicle) freeReserve() { _ = os.Remove(j.reserve()) }

func (j *chronicle) reserve() string { return filepath.Join(j.plan.dir, ".reserve") }

func (j *chronicle) write() error {
	return reports.Write(filepath.Join(j.plan.dir, recordFile), j.record)
}

func (j *chronicle) warn(format string, args ...any) {
	j.record.Warnings = append(j.record.Warnings, fmt.Sprintf(format, args...))
}

func (j *chronicle) stackIsUp(system cluster.System) error {
	stack := system.Stack()
	j.record.Declared = j.plan.declarations(stack)
	j.diagnosing = newDiagnosing(system, j.plan.dir)
	j.readReadiness()
	if stack.Prometheus == "" {
		j.warn("the stack has no Prometheus: what it would have counted was not judged")
	}
	for _, component := range stack.Components {
		part := reports.Part{
			Name: component.Name, Origin: string(component.Origin), Version: component.Version,
			Path: component.Path, Faults: component.Faults, Manners: component.Manners,
			WindowModel: component.WindowModel,
		}
		if part.Path == "" {
			// A stand-in is this program under another command.
			part.Path, _ = os.Executable()
		}
		j.record.Stack.Components = append(j.record.Stack.Components, part)
	}
	return j.write()
}

func (j *chronicle) died(death cluster.Death) {
	if len(j.deaths) == 0 {
		j.diedAt = time.Now().Add(-deathNoticed)
	}
	j.deaths = append(j.deaths, death)
	j.warn("%s ended at %s while it was needed: %v; end of its log: %s",
		death.Component, time.Now().Format(time.TimeOnly), death.Cause, death.Log)
}

// update writes what the specs have found so far.
func (j *chronicle) update() error {
	if err := harness.Assemble(j.plan.dir, j.record); err != nil {
		return err
	}
	return j.write()
}

// readBooks adds what the books say of the whole run, while the stack is still
// up, also for a run that was interrupted.
func (j *chronicle) readBooks(ctx context.Context, system cluster.System) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	books, err := harness.Totals(ctx, j.plan.dir, system)
	if err != nil {
		j.warn("the books of the whole run: %v", err)
	}
	j.record.Books = books
}

// settle writes the final record and returns the exit code. ended is why the
// specs did not run to their end, if they did not.
func (j *chronicle) settle(ended error) (int, error) {
	j.record.Reason, j.record.Interrupted, j.record.Ended = "", false, time.Now()
	switch {
	case len(j.deaths) > 0:
		j.record.Reason = fmt.Sprintf("%s ended while it was needed", j.deaths[0].Component)
	case errors.Is(ended, context.Canceled):
		j.record.Interrupted, j.record.Reason = true, "interrupted by a signal"
	case ended != nil:
		j.record.Reason = ended.Error()
	}
	j.freeReserve()
	err := errors.Join(j.doubtAfterDeath(), j.update())
	if err == nil && j.plan.whole && j.record.Verdict == reports.Pass && !quotaTested(j.record) {
		j.record.Reason, j.record.Verdict = "no limit of the policy was put to the test", reports.Inconclusive
		err = j.write()
	}
	return exitOf(j.record), err
}

// quotaTested is true if some case judged whether a quota holds. A model of random
// limits can agree with hits that never met a quota: there one must have been denied.
func quotaTested(record *reports.Record) bool {
	for _, c := range record.Cases {
		denied := slices.ContainsFunc(c.Identities, func(t reports.IdentityTally) bool { return t.Denied > 0 })
		for _, finding := range c.Findings {
			if (finding.Rule == oracle.NoOverrun || finding.Rule == oracle.AsModelled && denied) && finding.Verdict != reports.Inconclusive {
				return true
			}
		}
	}
	return false
}

// doubtAfterDeath takes the verdict from cases that were under way when a
// component died: what they saw is no evidence about the limits.
func (j *chronicle) doubtAfterDeath() error {
	if len(j.deaths) == 0 {
		return nil
	}
	return harness.Doubt(j.plan.dir, j.diedAt, j.record.Reason)
}

// failedToStart is the end of a run whose stack did not come up.
func (j *chronicle) failedToStart(ctx context.Context, show *progress, err error) error {
	if step, folder := stepDiagnosis(j.plan.dir, err); folder != "" {
		j.record.Diagnoses = append(j.record.Diagnoses, reports.Diagnosis{Step: step, Dir: folder})
	}
	j.readReadiness()
	j.record.Reason = err.Error()
	err = j.plan.withDiagnosis(err)
	j.record.Ended, j.record.Interrupted = time.Now(), false
	if ctx.Err() != nil {
		j.record.Interrupted, j.record.Reason = true, "interrupted by a signal while the stack came up"
		err = errors.New(j.record.Reason)
	}
	j.freeReserve()
	show.end()
	writeErr := j.write()
	if writeErr == nil {
		writeErr = render.Folder(j.plan.dir, junit.Options{})
	}
	return &exit{exitStack, errors.Join(err, writeErr)}
}
