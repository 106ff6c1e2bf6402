package html

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

type verdictView struct {
	Verdict reports.Verdict
	// Counts is the last line without its verdict.
	Counts string
	Reason string
	// Doubt says what the run does not know, and how that stands to its budget.
	Doubt       string
	Interrupted bool
	Parts       []reports.Part
	Facts       []fact
	Command     string
	Warnings    []string
}

type fact struct{ Name, Value string }

func viewVerdict(p *page) any {
	r := p.Record
	parts, _ := head(r.Stack.Kinds(), p.size.rows)
	warnings, more := head(r.Warnings, p.size.rows)
	if more > 0 {
		warnings = append(slices.Clone(warnings), fmt.Sprintf("%d more warnings are in %s", more, reports.RecordFile))
	}
	view := verdictView{
		Verdict: r.Verdict, Reason: r.Reason, Doubt: r.DoubtText(), Interrupted: r.Interrupted, Parts: parts,
		Counts:  strings.TrimPrefix(r.Summary(""), strings.ToUpper(r.Verdict.String())+" "),
		Command: reports.CommandText(r.Command), Warnings: warnings,
	}
	for _, f := range []fact{
		{"run", r.Run},
		{"provider", r.Stack.Provider},
		{"lane", r.Lane},
		{"seed", fmt.Sprint(r.Seed)},
		{"policies", r.Policies},
		{"window model", r.WindowModel},
		{"began", instant(r.Began)},
		{"ended", instant(r.Ended)},
		{"floodgate", r.Version},
	} {
		if f.Value != "" {
			view.Facts = append(view.Facts, f)
		}
	}
	return view
}

func instant(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
