package profile

import (
	"fmt"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// longestText bounds what the system under test may say here.
const longestText = 500

// implementation is what was tested. Stand-ins are never called by the name of
// what they stand in for.
type implementation struct {
	Organization string      `yaml:"organization"`
	Project      string      `yaml:"project"`
	URL          string      `yaml:"url,omitempty"`
	Version      string      `yaml:"version"`
	Components   []component `yaml:"components"`
}

type component struct {
	Name    string   `yaml:"name"`
	Origin  string   `yaml:"origin"`
	Version string   `yaml:"version"`
	Faults  []string `yaml:"faults,omitempty"`
}

type versions struct {
	Floodgate string `yaml:"floodgate"`
	Record    string `yaml:"record"`
	Provider  string `yaml:"provider"`
	Policies  string `yaml:"policies"`
	Lane      string `yaml:"lane"`
}

func implementationOf(r *reports.Record) implementation {
	told := implementation{Organization: "unknown", Project: "unknown", Version: "unknown"}
	standIns, unknown := 0, 0
	for _, p := range r.Stack.Kinds() {
		told.Components = append(told.Components, component{text(p.Name), strings.ToLower(p.OriginLabel()), text(p.Version), texts(p.Faults)})
		switch {
		case p.StandsIn():
			standIns++
		case !p.Real():
			unknown++
		}
		if strings.HasPrefix(p.Name, "limitador") && p.Version != "" {
			told.Version = "limitador " + text(p.Version)
		}
	}
	switch {
	case len(told.Components) == 0:
	case standIns > 0:
		told.Organization, told.Project = "floodgate", "stand-ins, which are no product"
		told.Version = "floodgate " + text(r.Version)
	case unknown == 0:
		told.Organization, told.Project, told.URL = "kuadrant", "kuadrant", "https://kuadrant.io"
	}
	return told
}

func versionsOf(r *reports.Record) versions {
	return versions{
		Floodgate: text(r.Version), Record: text(r.APIVersion), Provider: text(r.Stack.Provider),
		Policies: text(r.Policies), Lane: text(r.Lane),
	}
}

// mode is "default" for a whole lane, as Gateway API calls a run without changes.
func mode(r *reports.Record) string {
	if r.Whole {
		return "default"
	}
	return "narrowed"
}

func date(r *reports.Record) string {
	at := r.Ended
	if at.IsZero() {
		at = r.Began
	}
	if at.IsZero() {
		return "unknown"
	}
	return at.UTC().Format(time.RFC3339)
}

func summary(r *reports.Record, p profile) string {
	sentences := []string{"Core " + told(p.Core)}
	if p.Extended == nil {
		sentences = append(sentences, "Extended tests were not asked for")
	} else {
		sentences = append(sentences, "Extended "+told(*p.Extended))
	}
	switch {
	case r.Interrupted:
		sentences = append(sentences, "The run did not end in order")
	case r.Reason != "":
		sentences = append(sentences, "The run is in doubt: "+text(r.Reason))
	case !r.Whole:
		sentences = append(sentences, "The run was narrowed to some tests, so nothing is a success")
	}
	return strings.Join(sentences, ". ") + "."
}

func told(p part) string {
	s := p.Statistics
	switch {
	case s.Passed+s.Failed+s.Inconclusive == 0:
		return "tests were not judged"
	case p.Result == success:
		return "tests succeeded"
	}
	var odd []string
	for _, n := range []struct {
		count int
		word  string
	}{{s.Failed, "failed"}, {s.Inconclusive, "in doubt"}, {s.Skipped, "skipped"}} {
		if n.count > 0 {
			odd = append(odd, fmt.Sprintf("%d %s", n.count, n.word))
		}
	}
	words := map[string]string{failure: "tests failed", partial: "tests partially succeeded"}[p.Result]
	if len(odd) == 0 {
		return words
	}
	return words + " with " + strings.Join(odd, ", ")
}

// text makes what a record says safe for a line of YAML.
func text(s string) string { return reports.Clip(s, longestText) }

func texts(all []string) []string {
	var safe []string
	for _, s := range all {
		safe = append(safe, text(s))
	}
	return safe
}
