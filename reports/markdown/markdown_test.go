package markdown_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/internal/golden"
	"github.com/floodgate-dev/floodgate/reports/markdown"
)

func TestRenderMatchesGolden(t *testing.T) {
	for _, name := range golden.Runs() {
		t.Run(name, func(t *testing.T) {
			golden.Compare(t, name+".md", render(t, golden.Record(t, name)))
		})
	}
}

func TestAPassWithDoubtsIsLoud(t *testing.T) {
	golden.Compare(t, "doubted.md", render(t, golden.Doubted(t)))
}

func TestWorkersOfASharedRun(t *testing.T) {
	golden.Compare(t, "shared.md", render(t, golden.Shared(t)))
}

func TestDeclaredWeaknessesAreTold(t *testing.T) {
	golden.Compare(t, "weak.md", render(t, golden.Weak(t)))
}

func TestARunOnACluster(t *testing.T) {
	golden.Compare(t, "clustered.md", render(t, golden.Clustered(t)))
}

func TestStandInsAreNamedAtTheTop(t *testing.T) {
	summary := string(render(t, golden.Record(t, "fail")))
	named := strings.Index(summary, "Tested with stand-ins: limitador STAND-IN")
	if first := strings.Index(summary, "### "); named < 0 || named > first {
		t.Errorf("stand-ins are named at %d, the first failure stands at %d", named, first)
	}
}

func TestHostileTextIsOnlyText(t *testing.T) {
	const hostile = "`a` | b\n| c | <img src=x onerror=alert(1)> [l](javascript:x) **b** ![i](//h) @team #1 https://h www.h \\| --- ~~x~~ $x$ </code>"
	plain := &reports.Record{
		Verdict: reports.Fail, Reason: "r", Run: "r", Version: "v", Lane: "l", Warnings: []string{"w"}, Command: []string{"c"},
		Stack:      reports.Stack{Provider: "p", Components: []reports.Part{{Name: "n", Origin: "stand-in", Version: "v", Faults: []string{"f"}}}},
		Identities: []reports.IdentityTally{{Name: "n", Tier: "t", Sent: 1}},
		Readiness:  []reports.Readiness{{Variant: "v", Unseen: map[string]string{"limits": "w"}}},
		Diagnoses:  []reports.Diagnosis{{Case: "i", Dir: "d"}},
		Declared:   []reports.Declaration{{Name: "w", About: "a", By: "b"}},
		Cases: []reports.Case{
			{ID: "i", Title: "t", Verdict: reports.NotJudged, Reason: "r"},
			{ID: "i", Verdict: reports.Fail, Again: "a", Findings: []reports.Finding{{
				Rule: "r", Guarantee: "g", Verdict: reports.Fail, Reason: "r", Subject: "s", Limit: "l", Component: "c", Attribution: "a",
				Evidence: reports.Evidence{Ledger: "l"}, Weaknesses: []string{"w"},
			}, {Rule: "r", Guarantee: "g", Verdict: reports.Pass, Reason: "r", Weaknesses: []string{"w"}}}},
		},
	}
	evil := *plain
	evil.Reason, evil.Run, evil.Version, evil.Lane = hostile, hostile, hostile, hostile
	evil.Warnings, evil.Command = []string{hostile}, []string{hostile}
	evil.Stack = reports.Stack{Provider: hostile, Components: []reports.Part{{Name: hostile, Origin: hostile, Version: hostile, Faults: []string{hostile}}}}
	evil.Readiness = []reports.Readiness{{Variant: hostile, Unseen: map[string]string{"limits": hostile}}}
	evil.Diagnoses = []reports.Diagnosis{{Case: hostile, Dir: hostile}}
	evil.Declared = []reports.Declaration{{Name: hostile, About: hostile, By: hostile}}
	evil.Identities = []reports.IdentityTally{{Name: hostile, Tier: hostile, Sent: 1}}
	evil.Cases = []reports.Case{
		{ID: hostile, Title: hostile, Verdict: reports.NotJudged, Reason: hostile},
		{ID: hostile, Verdict: reports.Fail, Again: hostile, Findings: []reports.Finding{{
			Rule: hostile, Guarantee: hostile, Verdict: reports.Fail, Reason: hostile, Subject: hostile, Limit: hostile,
			Component: hostile, Attribution: hostile, Evidence: reports.Evidence{Ledger: hostile}, Weaknesses: []string{hostile},
		}, {Rule: hostile, Guarantee: hostile, Verdict: reports.Pass, Reason: hostile, Weaknesses: []string{hostile}}}},
	}
	want, got := render(t, plain), render(t, &evil)
	// Whatever is structure in Markdown occurs as often as with harmless text.
	for _, structure := range []string{"|", "`", "<", ">", "*", "[", "]", "\\", "~", "$", "@", "\n", "://", "www."} {
		if w, g := bytes.Count(want, []byte(structure)), bytes.Count(got, []byte(structure)); w != g {
			t.Errorf("%q occurs %d times, with harmless text %d times:\n%s", structure, g, w, got)
		}
	}
}

func TestSummaryStaysBelowTheLimit(t *testing.T) {
	long := strings.Repeat("<|`", 5000)
	r := &reports.Record{Verdict: reports.Fail, Reason: long}
	for i := range 700 {
		r.Identities = append(r.Identities, reports.IdentityTally{Name: long, Tier: fmt.Sprint(long[:900], i)})
		r.Cases = append(r.Cases, reports.Case{ID: fmt.Sprint(i), Title: long, Verdict: reports.Fail, Reason: long, Again: long})
		r.Warnings = append(r.Warnings, long)
	}
	got := render(t, r)
	if len(got) > markdown.MaxBytes {
		t.Errorf("%d bytes, want at most %d", len(got), markdown.MaxBytes)
	}
	if !strings.HasPrefix(string(got), "## ❌ FAIL 700 of 700 cases") || !strings.HasSuffix(string(got), "The rest is in report.html.\n") {
		t.Errorf("the cut summary lacks its verdict or its end: %q … %q", got[:60], got[len(got)-60:])
	}
}

func render(t *testing.T, r *reports.Record) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := markdown.Render(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
