package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

const (
	// diagnosisDir is the folder of a run that holds what was collected, by case
	// or by step of the installation.
	diagnosisDir = "diagnosis"
	// diagnosisTime bounds the collecting for one case.
	diagnosisTime = 20 * time.Second
	// diagnosisBefore is how long before a case what it suffers from may have
	// happened, such as a restart.
	diagnosisBefore = time.Minute
	// mostDiagnoses bounds the cases that are collected for: where many go wrong,
	// the first ones tell why.
	mostDiagnoses = 5
)

// diagnosing collects what the system knows of the time of cases that ended in
// trouble, beside the run. Its methods are for one goroutine.
type diagnosing struct {
	// system is nil where nothing can be collected.
	system   cluster.Diagnoser
	dir      string
	patience time.Duration
	began    map[string]time.Time
	order    []string
	leftOut  []string

	group sync.WaitGroup
	mu    sync.Mutex
	errs  map[string]error
}

func newDiagnosing(system cluster.System, dir string) *diagnosing {
	d := &diagnosing{dir: dir, patience: diagnosisTime, began: map[string]time.Time{}, errs: map[string]error{}}
	if able, err := cluster.As[cluster.Diagnoser](system); err == nil {
		d.system = able
	}
	return d
}

// event begins to collect when a case has ended in trouble. An end of the
// context ends the collecting.
func (d *diagnosing) event(ctx context.Context, event harness.Event) {
	switch {
	case d.system == nil || ctx.Err() != nil:
	case event.Kind == harness.CaseBegan:
		d.began[event.Case] = event.At.Add(-diagnosisBefore)
	case event.Kind != harness.CaseEnded:
	case event.Verdict != reports.Fail.String() && event.Verdict != reports.Inconclusive.String():
	case len(d.order) == mostDiagnoses:
		d.leftOut = append(d.leftOut, event.Case)
	default:
		d.order = append(d.order, event.Case)
		began := d.began[event.Case]
		d.group.Go(func() { d.collect(ctx, event.Case, began) })
	}
}

func (d *diagnosing) collect(ctx context.Context, name string, since time.Time) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.patience, fmt.Errorf("it took more than %s", d.patience))
	defer cancel()
	err := d.system.Diagnose(ctx, since, filepath.Join(d.dir, diagnosisDir, name))
	if err != nil && context.Cause(ctx) != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.errs[name] = err
}

// end waits for what is under way and tells the story what there is.
func (d *diagnosing) end(story *chronicle) {
	d.group.Wait()
	for _, name := range d.order {
		if err := d.errs[name]; err != nil {
			story.warn("the diagnosis of %s is not whole: %v", name, err)
		}
		folder := filepath.Join(diagnosisDir, name)
		if _, err := os.Stat(filepath.Join(d.dir, folder)); err != nil {
			continue
		}
		for _, kase := range story.record.Cases {
			if harness.FileName(kase.ID, catalogue.Lane(kase.Lane)) == name {
				story.record.Diagnoses = append(story.record.Diagnoses, reports.Diagnosis{Case: kase.ID, Lane: kase.Lane, Dir: folder})
			}
		}
	}
	if len(d.leftOut) > 0 {
		story.warn("logs and events were collected for the first %d cases in trouble, and not for %s", mostDiagnoses, strings.Join(d.leftOut, ", "))
	}
}

// stepDiagnosis is the folder that the installation of a stack that did not
// come up has filled, "" if there is none.
func stepDiagnosis(dir string, err error) (step, folder string) {
	start, ok := errors.AsType[*cluster.StartError](err)
	if !ok || !filepath.IsLocal(start.Component) {
		return "", ""
	}
	folder = filepath.Join(diagnosisDir, start.Component)
	if _, err := os.Stat(filepath.Join(dir, folder)); err != nil {
		return "", ""
	}
	return start.Component, folder
}

// withDiagnosis names in an error the folder that has more to it.
func (p *plan) withDiagnosis(err error) error {
	if _, folder := stepDiagnosis(p.dir, err); folder != "" {
		return fmt.Errorf("%w\n  %-10s %s", err, "diagnosis", filepath.Join(p.shownDir, folder))
	}
	return err
}
