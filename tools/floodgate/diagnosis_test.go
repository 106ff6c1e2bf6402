package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// observed is a system that can be asked what it knows.
type observed struct {
	cluster.System
	mu    sync.Mutex
	since map[string]time.Time
	// fails and hangs are cases for which it cannot tell, or never answers.
	fails, hangs string
}

func (o *observed) Stack() cluster.Stack { return cluster.Stack{Provider: "observed"} }

func (o *observed) Diagnose(ctx context.Context, since time.Time, dir string) error {
	name := filepath.Base(dir)
	o.mu.Lock()
	o.since[name] = since
	o.mu.Unlock()
	if name == o.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	if name == o.fails {
		return errors.New("pods of llm-d are forbidden")
	}
	return os.WriteFile(filepath.Join(dir, "events.txt"), nil, 0o600)
}

// storyOf is a chronicle of cases in lane smoke.
func storyOf(dir string, ids ...string) *chronicle {
	j := &chronicle{plan: &plan{dir: dir, shownDir: "out/run"}, record: &reports.Record{}}
	for _, id := range ids {
		j.record.Cases = append(j.record.Cases, reports.Case{ID: id, Lane: "smoke"})
	}
	return j
}

func TestOnlyCasesInTroubleAreCollectedFor(t *testing.T) {
	dir := t.TempDir()
	system := &observed{since: map[string]time.Time{}}
	d := newDiagnosing(system, dir)
	at := time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)
	for i, verdict := range []reports.Verdict{reports.Pass, reports.Fail, reports.NotJudged, reports.Inconclusive} {
		name := fmt.Sprintf("B0%d", i+1)
		d.event(t.Context(), harness.Event{Case: name, Kind: harness.CaseBegan, At: at.Add(time.Duration(i) * time.Hour)})
		d.event(t.Context(), harness.Event{Case: name, Kind: harness.CaseFires})
		d.event(t.Context(), harness.Event{Case: name, Kind: harness.CaseEnded, Verdict: verdict.String()})
	}
	story := storyOf(dir, "B01", "B02", "B03", "B04")
	d.end(story)
	want := []reports.Diagnosis{{Case: "B02", Lane: "smoke", Dir: "diagnosis/B02"}, {Case: "B04", Lane: "smoke", Dir: "diagnosis/B04"}}
	if diff := cmp.Diff(want, story.record.Diagnoses); diff != "" {
		t.Error(diff)
	}
	since := map[string]time.Time{"B02": at.Add(time.Hour - time.Minute), "B04": at.Add(3*time.Hour - time.Minute)}
	if diff := cmp.Diff(since, system.since); diff != "" {
		t.Errorf("collected since:\n%s", diff)
	}
	if len(story.record.Warnings) > 0 {
		t.Errorf("warnings: %q", story.record.Warnings)
	}
}

func TestNotMoreThanTheFirstFewAreCollectedFor(t *testing.T) {
	dir := t.TempDir()
	system := &observed{since: map[string]time.Time{}}
	d := newDiagnosing(system, dir)
	var names []string
	for i := range mostDiagnoses + 2 {
		names = append(names, fmt.Sprintf("C%02d", i))
		d.event(t.Context(), harness.Event{Case: names[i], Kind: harness.CaseEnded, Verdict: "fail"})
	}
	story := storyOf(dir, names...)
	d.end(story)
	if len(system.since) != mostDiagnoses || len(story.record.Diagnoses) != mostDiagnoses {
		t.Errorf("collected for %d cases, %d in the record, want %d", len(system.since), len(story.record.Diagnoses), mostDiagnoses)
	}
	if len(story.record.Warnings) != 1 || !strings.HasSuffix(story.record.Warnings[0], "not for C05, C06") {
		t.Errorf("warnings: %q", story.record.Warnings)
	}
}

func TestWhatCannotBeCollectedIsSaidAndHoldsNothingUp(t *testing.T) {
	dir := t.TempDir()
	d := newDiagnosing(&observed{since: map[string]time.Time{}, fails: "A01", hangs: "A02"}, dir)
	d.patience = 20 * time.Millisecond
	for _, name := range []string{"A01", "A02"} {
		d.event(t.Context(), harness.Event{Case: name, Kind: harness.CaseEnded, Verdict: "inconclusive"})
	}
	story := storyOf(dir, "A01", "A02")
	d.end(story)
	if diff := cmp.Diff([]reports.Diagnosis{{Case: "A01", Lane: "smoke", Dir: "diagnosis/A01"}}, story.record.Diagnoses); diff != "" {
		t.Error(diff)
	}
	for i, part := range []string{"A01 is not whole: pods of llm-d are forbidden", "A02 is not whole: it took more than 20ms"} {
		if len(story.record.Warnings) != 2 || !strings.Contains(story.record.Warnings[i], part) {
			t.Errorf("%q is not in warning %d of %q", part, i, story.record.Warnings)
		}
	}
}

func TestAnInterruptedRunBeginsNoDiagnosis(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	system := &observed{since: map[string]time.Time{}}
	d := newDiagnosing(system, t.TempDir())
	d.event(ctx, harness.Event{Case: "B02", Kind: harness.CaseEnded, Verdict: "inconclusive"})
	d.end(storyOf(d.dir, "B02"))
	if len(system.since) > 0 {
		t.Errorf("collected for %v", system.since)
	}
}

// mute is a system that knows nothing.
type mute struct{ cluster.System }

func (mute) Stack() cluster.Stack { return cluster.Stack{Provider: "local"} }

func TestASystemThatKnowsNothingIsNotAsked(t *testing.T) {
	d := newDiagnosing(mute{}, t.TempDir())
	d.event(t.Context(), harness.Event{Case: "B02", Kind: harness.CaseEnded, Verdict: "fail"})
	story := storyOf(d.dir, "B02")
	d.end(story)
	if len(story.record.Diagnoses)+len(story.record.Warnings) > 0 {
		t.Errorf("the record has %v and %q", story.record.Diagnoses, story.record.Warnings)
	}
}

func TestAStackThatDidNotComeUpNamesItsFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "diagnosis", "istiod"), 0o750); err != nil {
		t.Fatal(err)
	}
	p := &plan{dir: dir, shownDir: "out/run"}
	start := &cluster.StartError{Component: "istiod", Cause: errors.New("ImagePullBackOff")}
	err := p.withDiagnosis(errors.Join(start, errors.New("the cluster is gone")))
	if !strings.HasSuffix(err.Error(), "\n  diagnosis  out/run/diagnosis/istiod") || !errors.Is(err, start) {
		t.Errorf("got %v", err)
	}
	for _, other := range []error{
		errors.New("no cluster"), &cluster.StartError{Component: "gateway", Cause: errors.New("x")}, &cluster.StartError{Component: "../" + filepath.Base(dir), Cause: errors.New("x")},
	} {
		if got := p.withDiagnosis(other); !slices.Contains([]error{other}, got) {
			t.Errorf("%v became %v", other, got)
		}
	}
}
