// Package random draws policies that nobody wrote and schedules of hits that nobody
// thought of, and makes those that a limiter fails smaller. It is pure: the same
// seed draws the same.
package random

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// Trial is a policy and what is fired at it.
type Trial struct {
	// Limits are all that are in force.
	Limits []policy.Drawn `yaml:"limits"`
	// Callers are the tiers of the callers, as the policies that the limits were
	// drawn for name them: each has an identity of its own.
	Callers []string `yaml:"callers"`
	// Strands are fired side by side, the volleys of each one after the other.
	Strands [][]Volley `yaml:"strands"`
}

// Volley are hits alike.
type Volley struct {
	// Caller is whose they are, a place in the trial's callers from 0 on.
	Caller int `yaml:"caller"`
	Hits   int `yaml:"hits"`
	// Together are they all under way at once; otherwise each leaves after the
	// answer to the one before.
	Together bool `yaml:"together,omitempty"`
	// Mark is their value of policy.MarkHeader, "" being none; Path is "" for the
	// policies' own.
	Mark string `yaml:"mark,omitempty"`
	Path string `yaml:"path,omitempty"`
	// After is how long after the last answer to the volley before they leave.
	After time.Duration `yaml:"after,omitempty"`
}

// The bounds of a trial, so that a file cannot ask for a flood.
const (
	mostLimits  = 64
	mostCallers = 64
	mostHits    = 2000
	longestWait = 10 * time.Minute
)

// Read reads a trial from a file. Its error names the file and each field that is
// wrong.
func Read(path string) (Trial, error) {
	var trial Trial
	content, err := os.ReadFile(path)
	if err != nil {
		return trial, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&trial); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty")
		}
		return trial, fmt.Errorf("%s: %w", path, err)
	}
	if err := trial.check(); err != nil {
		return trial, fmt.Errorf("%s: %w", path, err)
	}
	return trial, nil
}

// Marshal is the trial as Read takes it.
func (t Trial) Marshal() ([]byte, error) { return yaml.Marshal(t) }

func (t Trial) check() error {
	var wrong []error
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if len(t.Limits) < 1 || len(t.Limits) > mostLimits {
		note("limits: there are %d, want 1 to %d", len(t.Limits), mostLimits)
	}
	names := map[string]bool{}
	for i, limit := range t.Limits {
		if limit.Name == "" || names[limit.Name] {
			note("limits[%d].name: %q: want a name that no other limit has", i, limit.Name)
		}
		names[limit.Name] = true
		if len(limit.Rates) == 0 {
			note("limits[%d].rates: want at least one", i)
		}
		for n, rate := range limit.Rates {
			if rate.Window < time.Second || rate.Window%time.Second != 0 {
				note("limits[%d].rates[%d].window: %s: want whole seconds, such as 2s", i, n, rate.Window)
			}
			if rate.Quota < 0 {
				note("limits[%d].rates[%d].quota: %d: want 0 or more", i, n, rate.Quota)
			}
		}
		if limit.ByMark && (limit.Mark == "" || limit.Shared) {
			note("limits[%d].byMark: only a limit for marked requests that is not shared can be counted by the mark", i)
		}
	}
	if len(t.Callers) < 1 || len(t.Callers) > mostCallers {
		note("callers: there are %d, want 1 to %d", len(t.Callers), mostCallers)
	}
	hits := 0
	owner := map[int]int{}
	for s, strand := range t.Strands {
		for i, volley := range strand {
			where := fmt.Sprintf("strands[%d][%d]", s, i)
			if volley.Caller < 0 || volley.Caller >= len(t.Callers) {
				note("%s.caller: %d: want 0 to %d", where, volley.Caller, len(t.Callers)-1)
			}
			if first, taken := owner[volley.Caller]; taken && first != s {
				note("%s.caller: %d fires in strands[%d] too: the order of their hits would not be known", where, volley.Caller, first)
			}
			owner[volley.Caller] = s
			if volley.Hits < 1 {
				note("%s.hits: %d: want 1 or more", where, volley.Hits)
			}
			if volley.After < 0 || volley.After > longestWait {
				note("%s.after: %s: want 0s to %s", where, volley.After, longestWait)
			}
			hits += max(0, volley.Hits)
		}
	}
	if hits < 1 || hits > mostHits {
		note("strands: %d hits in all, want 1 to %d", hits, mostHits)
	}
	if t.shared() && len(t.Strands) > 1 {
		note("strands: there are %d, and a limit is shared: the order of the hits that draw on it would not be known; put all volleys into one", len(t.Strands))
	}
	return errors.Join(wrong...)
}

// shared tells whether callers draw on one counter.
func (t Trial) shared() bool {
	for _, limit := range t.Limits {
		if limit.Shared {
			return true
		}
	}
	return false
}
