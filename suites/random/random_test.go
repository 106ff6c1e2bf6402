package random

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

var ground = Ground{
	Tiers: []string{"free", "premium", "enterprise"}, Limits: []string{"free-user-requests", "premium-user-requests"},
	OtherPath: "/v1/chat/completions",
}

func TestDrawnTrialsAreFitToRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trial.yaml")
	rapid.Check(t, func(t *rapid.T) {
		seed, n := rapid.Int64().Draw(t, "seed"), rapid.IntRange(0, 100).Draw(t, "n")
		trial := Draw(seed, n, ground)
		if err := trial.check(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(trial, Draw(seed, n, ground)); diff != "" {
			t.Fatalf("one seed drew two trials:\n%s", diff)
		}
		for _, strand := range trial.Strands {
			waits := time.Duration(0)
			for _, volley := range strand {
				waits += volley.After
			}
			if waits > 2*strandBudget {
				t.Fatalf("a strand waits %s", waits)
			}
		}
		content, err := trial.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := Read(path)
		if diff := cmp.Diff(trial, read); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

// TestTrialsAreOfManyKinds keeps the draws from becoming alike.
func TestTrialsAreOfManyKinds(t *testing.T) {
	seen := map[string]int{}
	const drawn = 400
	for n := range drawn {
		trial := Draw(41, n, ground)
		for kind, is := range map[string]bool{
			"six limits":      len(trial.Limits) == 6,
			"one limit":       len(trial.Limits) == 1,
			"a shared one":    trial.shared(),
			"several windows": slices.ContainsFunc(trial.Limits, func(l policy.Drawn) bool { return len(l.Rates) > 1 }),
			"by mark":         slices.ContainsFunc(trial.Limits, func(l policy.Drawn) bool { return l.ByMark }),
			"by path":         slices.ContainsFunc(trial.Limits, func(l policy.Drawn) bool { return l.Path != "" }),
			"for some alone":  slices.ContainsFunc(trial.Limits, func(l policy.Drawn) bool { return l.Like != "" }),
			"overlapping": slices.ContainsFunc(trial.Limits[1:], func(l policy.Drawn) bool {
				return l.Like == trial.Limits[0].Like
			}),
		} {
			if is {
				seen[kind]++
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("of 8 kinds of trials %d were drawn: %v", len(seen), seen)
	}
	for kind, times := range seen {
		if times < drawn/50 {
			t.Errorf("%s: %d of %d trials", kind, times, drawn)
		}
	}
}

func TestShrinkingKeepsWhatFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trial := Draw(rapid.Int64().Draw(t, "seed"), rapid.IntRange(0, 100).Draw(t, "n"), ground)
		// What fails is a limit for everybody that a volley of two or more meets.
		fails := func(c Trial) bool {
			return slices.ContainsFunc(c.Limits, func(l policy.Drawn) bool { return l.Mark == "" && l.Path == "" }) &&
				slices.ContainsFunc(slices.Concat(c.Strands...), func(v Volley) bool { return v.Hits > 1 })
		}
		if !fails(trial) {
			t.Skip("it does not fail")
		}
		tries := 0
		small := Shrink(trial, func(c Trial) bool {
			if err := c.check(); err != nil {
				t.Fatalf("a trial that is not fit to run: %v", err)
			}
			tries++
			return fails(c)
		}, func() bool { return true })
		if !fails(small) || len(small.Limits) != 1 || len(small.Limits[0].Rates) != 1 || len(small.Strands) != 1 || len(small.Strands[0]) != 1 || len(small.Callers) != 1 || small.Strands[0][0].Hits != 2 {
			t.Fatalf("shrunk to %+v", small)
		}
		if tries > 400 {
			t.Fatalf("%d tries", tries)
		}
	})
}

func TestShrinkingStopsInTime(t *testing.T) {
	left := 5
	Shrink(Draw(1, 1, ground), func(Trial) bool { return true }, func() bool { left--; return left >= 0 })
	if left != -1 {
		t.Errorf("%d tries are left", left)
	}
}

func TestAFileThatIsNoTrial(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"empty", "", "it is empty"},
		{"a field of another name", "limits: []\ncallers: [free]\nsteps: []\n", "line 3: field steps not found"},
		{"nothing to do", "limits: [{name: a, rates: [{quota: 1, window: 2s}]}]\ncallers: [free]\n", "strands: 0 hits in all"},
		{"half seconds", "limits: [{name: a, rates: [{quota: 1, window: 1500ms}]}]\ncallers: [free]\nstrands: [[{caller: 0, hits: 1}]]\n", "limits[0].rates[0].window: 1.5s: want whole seconds"},
		{"a stranger", "limits: [{name: a, rates: [{quota: 1, window: 2s}]}]\ncallers: [free]\nstrands: [[{caller: 1, hits: 1}]]\n", "strands[0][0].caller: 1: want 0 to 0"},
		{"a caller in two places", "limits: [{name: a, rates: [{quota: 1, window: 2s}]}]\ncallers: [free]\nstrands: [[{caller: 0, hits: 1}], [{caller: 0, hits: 1}]]\n", "fires in strands[0] too"},
		{"shared side by side", "limits: [{name: a, shared: true, rates: [{quota: 1, window: 2s}]}]\ncallers: [free, free]\nstrands: [[{caller: 0, hits: 1}], [{caller: 1, hits: 1}]]\n", "put all volleys into one"},
		{"a flood", "limits: [{name: a, rates: [{quota: 1, window: 2s}]}]\ncallers: [free]\nstrands: [[{caller: 0, hits: 9000}]]\n", "9000 hits in all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "trial.yaml")
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q and the file's name", err, c.want)
			}
		})
	}
}
