package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kubernetes"
	"github.com/floodgate-dev/floodgate/reports"
)

func TestReadinessIsTakenUpWhole(t *testing.T) {
	began := time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)
	after := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	gap := 31.0
	whole := kubernetes.Readiness{
		Began: began, Programmed: after(1), Accepted: after(2), Enforced: after(3), Limits: after(4), Refused: after(5), FirstDenied: after(34),
		Hits: 7, Gap: &gap, Unseen: map[string]string{},
	}
	text, err := json.Marshal(map[string]kubernetes.Readiness{
		"edits": {Began: began, Unseen: map[string]string{"firstDenied": "no quota"}}, "policy": whole, "twin": {Began: began},
	})
	if err != nil {
		t.Fatal(err)
	}
	j := &chronicle{plan: &plan{dir: t.TempDir(), gapBudget: 30 * time.Second}, record: &reports.Record{}}
	if err := os.WriteFile(filepath.Join(j.plan.dir, kubernetes.ReadinessFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	j.readReadiness()
	want := []reports.Readiness{
		{
			Variant: "policy", Began: began, Programmed: after(1), Accepted: after(2), Enforced: after(3), Limits: after(4),
			Refused: after(5), FirstDenied: after(34), Hits: 7, Gap: &gap, Budget: 30,
		},
		{Variant: "edits", Began: began, Budget: 30, Unseen: map[string]string{"firstDenied": "no quota"}},
		{Variant: "twin", Began: began, Budget: 30},
	}
	if diff := cmp.Diff(want, j.record.Readiness); diff != "" {
		t.Error(diff)
	}
	if len(j.record.Warnings) != 1 || !strings.Contains(j.record.Warnings[0], "variant policy: the first 429 was seen 31.00 s after its policy said Enforced, more than the 30s allowed") {
		t.Errorf("warnings: %q", j.record.Warnings)
	}
	if j.record.Verdict != reports.Inconclusive || j.record.Reason != "" {
		t.Errorf("a gap has set verdict %v, reason %q", j.record.Verdict, j.record.Reason)
	}
}

func TestAProviderWithoutReadinessChangesNothing(t *testing.T) {
	j := &chronicle{plan: &plan{dir: t.TempDir(), gapBudget: time.Second}, record: &reports.Record{}}
	j.readReadiness()
	if diff := cmp.Diff(&reports.Record{}, j.record); diff != "" {
		t.Error(diff)
	}
}

func TestReadinessThatCannotBeReadIsSaid(t *testing.T) {
	j := &chronicle{plan: &plan{dir: t.TempDir(), gapBudget: time.Second}, record: &reports.Record{}}
	if err := os.WriteFile(filepath.Join(j.plan.dir, kubernetes.ReadinessFile), []byte(`{"twin":`), 0o600); err != nil {
		t.Fatal(err)
	}
	j.readReadiness()
	if len(j.record.Warnings) != 1 || !strings.Contains(j.record.Warnings[0], kubernetes.ReadinessFile) {
		t.Errorf("warnings: %q", j.record.Warnings)
	}
}

func TestAFailedStartLeavesWhatIsKnownOfIt(t *testing.T) {
	dir := t.TempDir()
	p := &plan{dir: dir, shownDir: "out/run", gapBudget: time.Second}
	if err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "diagnosis", "istiod"), 0o750),
		os.WriteFile(filepath.Join(dir, kubernetes.ReadinessFile), []byte(`{"policy":{"began":"2026-11-22T21:00:00Z","hits":0}}`), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	j := &chronicle{plan: p, record: &reports.Record{APIVersion: reports.APIVersion}}
	start := &cluster.StartError{Component: "istiod", Cause: context.DeadlineExceeded}
	err := j.failedToStart(t.Context(), newProgress(io.Discard, p), start)
	if err == nil || !strings.Contains(err.Error(), "diagnosis  out/run/diagnosis/istiod") {
		t.Errorf("got %v", err)
	}
	written, err := reports.Load(filepath.Join(dir, recordFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]reports.Diagnosis{{Step: "istiod", Dir: "diagnosis/istiod"}}, written.Diagnoses); diff != "" || len(written.Readiness) != 1 {
		t.Errorf("readiness %v, diagnoses:\n%s", written.Readiness, diff)
	}
	for _, file := range []string{reports.PageFile, reports.SummaryFile} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(text), "diagnosis/istiod") {
			t.Errorf("%s does not name the folder (%v)", file, err)
		}
	}
}
