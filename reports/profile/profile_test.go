package profile_test

import (
	"bytes"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/internal/golden"
	"github.com/floodgate-dev/floodgate/reports/profile"
)

func render(t *testing.T, r *reports.Record) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := profile.Render(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRenderMatchesGolden(t *testing.T) {
	for _, name := range golden.Runs() {
		t.Run(name, func(t *testing.T) {
			r := golden.Record(t, name)
			r.Whole = true
			golden.Compare(t, name+".yaml", render(t, r))
		})
	}
	t.Run("doubted", func(t *testing.T) { golden.Compare(t, "doubted.yaml", render(t, golden.Doubted(t))) })
}

// parsed is what a reader of Gateway API's reports takes from this one.
type parsed struct {
	Kind     string `yaml:"kind"`
	Profiles []struct {
		Name     string
		Core     parsedPart
		Extended *parsedPart
	}
	Implementation struct{ Organization, Project, Version string }
}

type parsedPart struct {
	Result       string
	FailedTests  []string `yaml:"failedTests"`
	SkippedTests []string `yaml:"skippedTests"`
	Statistics   map[string]int
	Reasons      map[string]string
}

func parse(t *testing.T, document []byte) parsed {
	t.Helper()
	var got parsed
	if err := yaml.Unmarshal(document, &got); err != nil {
		t.Fatalf("no YAML: %v\n%s", err, document)
	}
	if len(got.Profiles) != 1 {
		t.Fatalf("%d profiles, want one", len(got.Profiles))
	}
	return got
}

func TestOnlyWhatPassedWholeIsASuccess(t *testing.T) {
	passed := reports.Case{ID: "B01", Lane: "smoke", Verdict: reports.Pass}
	with := func(lane string, verdict reports.Verdict) []reports.Case {
		return []reports.Case{passed, {ID: "B05", Lane: lane, Verdict: verdict, Reason: "because"}}
	}
	for name, c := range map[string]struct {
		record         reports.Record
		core, extended string
	}{
		"smoke alone":         {reports.Record{Whole: true, Cases: []reports.Case{passed}}, "success", ""},
		"narrowed":            {reports.Record{Cases: []reports.Case{passed}}, "partial", ""},
		"nothing":             {reports.Record{Whole: true}, "partial", ""},
		"interrupted":         {reports.Record{Whole: true, Interrupted: true, Cases: []reports.Case{passed}}, "partial", ""},
		"the run in doubt":    {reports.Record{Whole: true, Reason: "a component ended", Cases: []reports.Case{passed}}, "partial", ""},
		"an extended fail":    {reports.Record{Whole: true, Cases: with("full", reports.Fail)}, "success", "failure"},
		"an extended pass":    {reports.Record{Whole: true, Cases: with("release", reports.Pass)}, "success", "success"},
		"an extended doubt":   {reports.Record{Whole: true, Cases: with("full", reports.Inconclusive)}, "success", "partial"},
		"an extended skip":    {reports.Record{Whole: true, Cases: with("seed", reports.NotJudged)}, "success", "partial"},
		"a fail in the core":  {reports.Record{Whole: true, Cases: with("smoke", reports.Fail)}, "failure", ""},
		"a doubt in the core": {reports.Record{Whole: true, Cases: with("smoke", reports.Inconclusive)}, "partial", ""},
	} {
		got := parse(t, render(t, &c.record)).Profiles[0]
		extended := ""
		if got.Extended != nil {
			extended = got.Extended.Result
		}
		if got.Core.Result != c.core || extended != c.extended {
			t.Errorf("%s: core %q, extended %q; want %q and %q", name, got.Core.Result, extended, c.core, c.extended)
		}
	}
}

func TestSkippedTestsHaveReasons(t *testing.T) {
	r := golden.Record(t, "pass")
	core := parse(t, render(t, r)).Profiles[0].Core
	if len(core.SkippedTests) != 1 || core.Statistics["Skipped"] != 1 || core.Reasons[core.SkippedTests[0]] == "" {
		t.Errorf("skipped %q with reasons %q", core.SkippedTests, core.Reasons)
	}
}

func TestStandInsAreNotCalledTheProduct(t *testing.T) {
	r := golden.Record(t, "pass")
	if got := parse(t, render(t, r)).Implementation; !strings.Contains(got.Project, "stand-in") || strings.Contains(got.Version, "limitador") {
		t.Errorf("the implementation is called %+v", got)
	}
	for i := range r.Stack.Components {
		r.Stack.Components[i].Origin = reports.RealOrigin
	}
	if got := parse(t, render(t, r)).Implementation; got.Project != "kuadrant" {
		t.Errorf("the implementation is called %+v", got)
	}
}

func TestHostileTextIsOneString(t *testing.T) {
	const hostile = "x\nprofiles: []\n\u202e\x00\xff'\"{{: #"
	r := &reports.Record{
		Version: hostile, Reason: hostile, Policies: hostile, Lane: hostile,
		Stack: reports.Stack{Components: []reports.Part{{Name: hostile, Version: hostile, Faults: []string{hostile}}}},
		Cases: []reports.Case{{ID: hostile, Lane: hostile, Verdict: reports.NotJudged, Reason: hostile + strings.Repeat("y", 1<<20)}},
	}
	document := render(t, r)
	if parse(t, document); len(document) > 1<<14 {
		t.Errorf("the report has %d bytes", len(document))
	}
	if bytes.ContainsAny(document, "\x00\u202e") || bytes.Contains(document, []byte("!!binary")) {
		t.Errorf("hostile text came through:\n%s", document)
	}
}
