package reports_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestRecordSurvivesTheFile(t *testing.T) {
	served := int64(12)
	began := time.Date(2026, 11, 22, 21, 0, 0, 123, time.UTC)
	tally := reports.IdentityTally{
		Name: "a", Tier: "free", Case: "B01", Sent: 5, Admitted: 1, Denied: 1, Refused: 1, Failed: 1, Lost: 1,
		Books: reports.Books{Backend: &served},
	}
	want := &reports.Record{
		APIVersion: reports.APIVersion, Verdict: reports.Fail, Reason: "r", Interrupted: true, Run: "x", Version: "v", Lane: "smoke",
		Seed: -41, Command: []string{"floodgate", "run"}, Began: began, Ended: began.Add(time.Hour), Policies: "p",
		Stack: reports.Stack{Provider: "local", Components: []reports.Part{{Name: "n", Origin: "real", Version: "v", Path: "/p", Faults: []string{"f"}}}},
		Tiers: []tier.Tier{{Name: "free", Limits: []tier.Limit{{
			Name: "l", Policy: "ns/p", ID: "i", Scope: "s", Quota: 2, Unit: tier.Hits, Window: 2 * time.Minute, Counters: []string{"c"},
		}}}},
		Identities: []reports.IdentityTally{tally},
		Cases: []reports.Case{{
			ID: "B01", Title: "t", Lane: "smoke", Variant: "twin", Verdict: reports.NotJudged, Reason: "r", Began: began,
			Duration: time.Second, Again: "a", Identities: []reports.IdentityTally{tally}, Evidence: []string{"ledger/B01.jsonl"},
			Findings: []reports.Finding{{
				Rule: "r", Guarantee: "g", Verdict: reports.Pass, Reason: "r", Subject: "s", Limit: "l", Component: reports.Limiter,
				Attribution: "a", Evidence: reports.Evidence{Ledger: "l", Entries: []int{1, 2}},
			}},
		}},
		Books: reports.Books{
			Limiter: &evidence.Calls{Authorized: 1, Limited: 2, Hits: 3}, Gateway: &evidence.GatewayBook{Hits: 1, Misses: 2, Allowed: 3, Denied: 4, Errors: 5},
			Backend: &served, Prometheus: &evidence.Calls{},
		},
		Warnings: []string{"<w>"},
	}
	path := filepath.Join(t.TempDir(), reports.RecordFile)
	if err := reports.Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := reports.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record changed on its way through the file:\n%s", diff)
	}
}

func TestLoadNamesFileAndField(t *testing.T) {
	tests := map[string]struct{ content, want string }{
		"another version":  {`{"apiVersion": "floodgate/v2"}`, `field apiVersion is "floodgate/v2"`},
		"no version":       {`{}`, `field apiVersion is ""`},
		"not an object":    {`[]`, "cannot unmarshal array"},
		"cut off":          {`{"apiVersion": "floodgate/v1", "verdict": "pa`, "no complete JSON"},
		"empty":            {``, "no complete JSON, from byte 0 of 0"},
		"wrong type":       {`{"apiVersion": "floodgate/v1", "seed": "41"}`, "field seed: "},
		"unknown verdict":  {`{"apiVersion": "floodgate/v1", "verdict": "ok"}`, `field verdict: verdict "ok"`},
		"nested":           {`{"apiVersion": "floodgate/v1", "cases": [{}, {"findings": [{"verdict": "maybe"}]}]}`, "field cases[1].findings[0].verdict: "},
		"time":             {`{"apiVersion": "floodgate/v1", "began": "yesterday"}`, "field began: "},
		"behind a pointer": {`{"apiVersion": "floodgate/v1", "books": {"limiter": {"limitedCalls": "7"}}}`, "field books.limiter.limitedCalls: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "broken.json")
			if err := os.WriteFile(path, []byte(test.content), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := reports.Load(path)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q and %q", err, path, test.want)
			}
		})
	}
}

func TestLoadPassesOverFieldsOfALaterBuild(t *testing.T) {
	path := filepath.Join(t.TempDir(), reports.RecordFile)
	if err := os.WriteFile(path, []byte(`{"apiVersion": "floodgate/v1", "verdict": "pass", "later": {"a": 1}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := reports.Load(path)
	if err != nil || r.Verdict != reports.Pass {
		t.Errorf("got %+v, %v; want a record that passes", r, err)
	}
}

func TestWriteAtomicKeepsTheOldFileWhenWritingFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "page")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := reports.WriteAtomic(path, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of the new"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that wraps %v and names %s", err, broken, path)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "old" {
		t.Errorf("the file holds %q (%v), want what it held before", content, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want the file alone", entries, err)
	}
}

func TestWriteAtomicIntoNoFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "page")
	if err := reports.Write(path, &reports.Record{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want %v with the path", err, os.ErrNotExist)
	}
}

func TestWriteIsReadableForOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), reports.RecordFile)
	if err := reports.Write(path, &reports.Record{APIVersion: reports.APIVersion}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v (%v), want 0644: CI uploads it as another user", info.Mode(), err)
	}
}
