// Package selftest is what a self-test of the suite leaves behind: which faults
// it found and by which rules, and which correct systems it accused.
package selftest

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// APIVersion is the version of the report's schema.
const APIVersion = "floodgate.selftest/v1"

// AttributionGoal is the share of the faults whose findings must name the
// component to blame.
const AttributionGoal = 0.95

// Report is one self-test. The numbers come first: they are what a script asks
// for.
type Report struct {
	APIVersion string          `json:"apiVersion"`
	Verdict    reports.Verdict `json:"verdict"`
	// Faults is how many named faults were tried alone, Killed those that a rule
	// which concerns them has found, Attributed those of them whose findings
	// blame the right component more often than any other.
	Faults     int `json:"faults"`
	Killed     int `json:"killed"`
	Attributed int `json:"attributed"`
	// Pairs is how many combinations of two faults were tried, PairsKilled those
	// that a rule which concerns one of the two has found, PairsBoth those where
	// each of the two was found.
	Pairs       int `json:"pairs"`
	PairsKilled int `json:"pairsKilled"`
	PairsBoth   int `json:"pairsBoth"`
	// Variants is how many correct systems were tried, Alarms how many findings
	// accuse one of them, Judged and Doubts how many of their cases came to a
	// verdict or to none.
	Variants int `json:"variants"`
	Alarms   int `json:"alarms"`
	Judged   int `json:"judged"`
	Doubts   int `json:"doubts"`

	Version  string        `json:"version"`
	Seed     int64         `json:"seed"`
	Sampled  bool          `json:"sampled,omitempty"`
	Began    time.Time     `json:"began,omitzero"`
	Duration time.Duration `json:"duration,omitempty"`
	// Reasons say why the verdict is no better.
	Reasons []string `json:"reasons,omitempty"`

	Rules    []Rule    `json:"rules"`
	Single   []Trial   `json:"single"`
	Combined []Trial   `json:"combined"`
	Correct  []Variant `json:"correct"`
	// Untried are faults that no case of this build can show, each with the
	// reason. They count nowhere.
	Untried []string `json:"untried,omitempty"`
}

// Trial is a system with one fault, or with two.
type Trial struct {
	// Faults are COMPONENT:NAME, one or two.
	Faults []Fault `json:"faults"`
	Killed bool    `json:"killed"`
	// Attributed is true if of the findings that concern the faults more blame the
	// right component than any other.
	Attributed bool `json:"attributed"`
	// Reason says why the trial is not killed or not attributed.
	Reason string `json:"reason,omitempty"`
	// Again is the command that shows it.
	Again string `json:"again"`
	// Cases counts the cases that came to a verdict, Doubts those that came to
	// none, which never counts as found.
	Cases  int    `json:"cases"`
	Doubts int    `json:"doubts"`
	Kills  []Kill `json:"kills"`
	// Took is how long the run of the trial took.
	Took time.Duration `json:"took,omitempty"`
	// Evidence is the run's folder, where it was kept.
	Evidence string `json:"evidence,omitempty"`
}

// Fault is a named fault of a stand-in and what should find it.
type Fault struct {
	Name  string `json:"name"`
	About string `json:"about,omitempty"`
	// Blame is the component that a finding must name.
	Blame reports.Component `json:"blame"`
	// Rules are the rules that concern the fault.
	Rules []string `json:"rules"`
	// Found is true if one of them failed.
	Found bool `json:"found"`
}

// Kill is a rule that failed in one case or more.
type Kill struct {
	Rule  string   `json:"rule"`
	Cases []string `json:"cases"`
	// Blamed counts the findings by the component that they name, "" for none.
	Blamed map[reports.Component]int `json:"blamed"`
	// Concerns is true if the rule is one that concerns the fault.
	Concerns bool `json:"concerns"`
}

// Rule is a column of the matrix.
type Rule struct {
	Name string `json:"name"`
	// Kills is how many faults the rule has found, Only the faults that nothing
	// else has: what the suite would miss without the rule.
	Kills int      `json:"kills"`
	Only  []string `json:"only,omitempty"`
}

// Variant is a correct system that is unusual in one way.
type Variant struct {
	Name  string `json:"name"`
	About string `json:"about"`
	// Verdict is the run's, Judged counts its cases that came to a verdict,
	// Doubts those that came to none.
	Verdict reports.Verdict `json:"verdict"`
	Judged  int             `json:"judged"`
	Doubts  int             `json:"doubts"`
	// Alarms are findings that accuse the system, in words.
	Alarms []string `json:"alarms"`
	// Reason says why the variant came to no verdict.
	Reason   string        `json:"reason,omitempty"`
	Again    string        `json:"again"`
	Took     time.Duration `json:"took,omitempty"`
	Evidence string        `json:"evidence,omitempty"`
}

// Load reads a report. One of another schema is refused.
func Load(path string) (*Report, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read self-test: %w", err)
	}
	r := new(Report)
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.APIVersion != APIVersion {
		return nil, fmt.Errorf("%s: field apiVersion is %q and this build reads %q", path, r.APIVersion, APIVersion)
	}
	return r, nil
}

// Write puts the report at path, whole or not at all.
func Write(path string, r *Report) error {
	return reports.WriteAtomic(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	})
}
