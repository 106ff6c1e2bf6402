// Package profile writes a run as a conformance report in the shape of Gateway
// API's: what was tested, and for each profile how its core and its extended
// cases went. Core are the cases of lane smoke, extended all others.
package profile

import (
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/floodgate-dev/floodgate/reports"
)

const (
	kind = "ConformanceReport"
	// name is the one profile that there is so far.
	name     = "KUADRANT-RATE-LIMITS"
	coreLane = "smoke"
)

// The results that a part of a profile can have, in Gateway API's words.
const (
	success = "success"
	partial = "partial"
	failure = "failure"
)

type document struct {
	APIVersion     string         `yaml:"apiVersion"`
	Kind           string         `yaml:"kind"`
	Date           string         `yaml:"date"`
	Implementation implementation `yaml:"implementation"`
	Versions       versions       `yaml:"versions"`
	Mode           string         `yaml:"mode"`
	Profiles       []profile      `yaml:"profiles"`
}

type profile struct {
	Name    string `yaml:"name"`
	Summary string `yaml:"summary"`
	Core    part   `yaml:"core"`
	// Extended is left out where the run was not asked for it.
	Extended *part `yaml:"extended,omitempty"`
}

// part is how the core or the extended cases went. Inconclusive ones, which
// Gateway API does not know, are neither passed nor skipped.
type part struct {
	Result            string            `yaml:"result"`
	Statistics        statistics        `yaml:"statistics"`
	FailedTests       []string          `yaml:"failedTests,omitempty"`
	InconclusiveTests []string          `yaml:"inconclusiveTests,omitempty"`
	SkippedTests      []string          `yaml:"skippedTests,omitempty"`
	Reasons           map[string]string `yaml:"reasons,omitempty"`
}

type statistics struct {
	Passed       int `yaml:"Passed"`
	Failed       int `yaml:"Failed"`
	Inconclusive int `yaml:"Inconclusive"`
	Skipped      int `yaml:"Skipped"`
}

// Render writes the record's report.
func Render(w io.Writer, r *reports.Record) error {
	core, extended := &part{}, &part{}
	for i := range r.Cases {
		if of := &r.Cases[i]; of.Lane == coreLane {
			core.add(of)
		} else {
			extended.add(of)
		}
	}
	whole := r.Whole && !r.Interrupted && r.Reason == ""
	core.settle(whole)
	told := profile{Name: name, Core: *core}
	if extended.statistics() > 0 {
		extended.settle(whole)
		told.Extended = extended
	}
	told.Summary = summary(r, told)
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	err := encoder.Encode(document{
		APIVersion: reports.APIVersion, Kind: kind, Date: date(r), Mode: mode(r),
		Implementation: implementationOf(r), Versions: versionsOf(r), Profiles: []profile{told},
	})
	if err == nil {
		err = encoder.Close()
	}
	if err != nil {
		return fmt.Errorf("write the conformance report: %w", err)
	}
	return nil
}

func (p *part) add(c *reports.Case) {
	id := text(c.ID)
	if c.Lane == "seed" {
		id += "-seed"
	}
	why := func(list *[]string, reason string) {
		*list = append(*list, id)
		if p.Reasons == nil {
			p.Reasons = map[string]string{}
		}
		p.Reasons[id] = text(reason)
	}
	switch c.Verdict {
	case reports.Pass:
		p.Statistics.Passed++
	case reports.Fail:
		p.Statistics.Failed++
		why(&p.FailedTests, reasonOf(c))
	case reports.NotJudged:
		p.Statistics.Skipped++
		why(&p.SkippedTests, reasonOf(c))
	case reports.Inconclusive:
		p.Statistics.Inconclusive++
		why(&p.InconclusiveTests, reasonOf(c))
	}
}

// statistics is how many cases the part has.
func (p *part) statistics() int {
	s := p.Statistics
	return s.Passed + s.Failed + s.Inconclusive + s.Skipped
}

// settle gives the part its result: only one that passed whole is a success.
func (p *part) settle(whole bool) {
	switch s := p.Statistics; {
	case s.Failed > 0:
		p.Result = failure
	case s.Passed == 0 || s.Inconclusive > 0 || s.Skipped > 0 || !whole:
		p.Result = partial
	default:
		p.Result = success
	}
}

// reasonOf is the case's own reason, else the first that a finding of its
// verdict gives.
func reasonOf(c *reports.Case) string {
	if c.Reason != "" {
		return c.Reason
	}
	for _, f := range c.Findings {
		if f.Verdict == c.Verdict && f.Reason != "" {
			return f.Rule + ": " + f.Reason
		}
	}
	return "the record gives no reason"
}
