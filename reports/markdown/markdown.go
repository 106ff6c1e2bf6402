// Package markdown writes a run as a summary for a CI job's page
// ($GITHUB_STEP_SUMMARY): the verdict, what failed, the tiers, what was tested.
package markdown

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

const (
	// MaxBytes is the most that Render writes. GitHub drops a step's summary
	// above 1 MiB without a word, and several steps may write one.
	MaxBytes    = 512 << 10
	maxProblems = 50
	maxRows     = 200
)

// Render writes the summary.
func Render(w io.Writer, r *reports.Record) error {
	var out bytes.Buffer
	verdict(&out, r)
	problems(&out, r)
	weaknesses(&out, r)
	tiers(&out, r)
	workers(&out, r)
	readiness(&out, r)
	notJudged(&out, r)
	tested(&out, r)
	if _, err := w.Write(bound(out.Bytes())); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// bound cuts at the end of a line, so that no escape and no row is cut apart.
func bound(text []byte) []byte {
	const note = "\n\nThe rest is in report.html.\n"
	if len(text) <= MaxBytes {
		return text
	}
	head := text[:MaxBytes-len(note)]
	if end := bytes.LastIndexByte(head, '\n'); end >= 0 {
		head = head[:end]
	}
	return append(bytes.Clone(head), note...)
}

func verdict(w *bytes.Buffer, r *reports.Record) {
	signs := sign(r.Verdict)
	if r.PassedInDoubt() {
		signs += sign(reports.Inconclusive)
	}
	fmt.Fprintf(w, "## %s %s\n\n", signs, escape(r.Summary("")))
	if r.Interrupted {
		fmt.Fprint(w, "**This run did not end in order**: what follows is what it had written down by then.\n\n")
	}
	if r.Reason != "" {
		fmt.Fprintf(w, "Reason: %s\n\n", escape(r.Reason))
	}
	if doubt := r.DoubtText(); doubt != "" {
		fmt.Fprintf(w, "**%s**\n\n", escape(doubt))
	}
	var standIns []string
	for _, part := range r.Stack.Kinds() {
		if part.StandsIn() {
			standIns = append(standIns, escape(part.String()))
		}
	}
	if len(standIns) > 0 {
		fmt.Fprintf(w, "Tested with stand-ins: %s.\n\n", strings.Join(standIns, "; "))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "> warning: %s\n\n", escape(warning))
	}
}

func problems(w *bytes.Buffer, r *reports.Record) {
	for i, problem := range r.Problems() {
		if i == maxProblems {
			fmt.Fprintf(w, "%d more are in report.html.\n\n", len(r.Problems())-maxProblems)
			return
		}
		fmt.Fprintf(w, "### %s %s\n\n", sign(problem.Verdict), escape(problem.Title(r)))
		item := func(label, text string) {
			if text != "" {
				fmt.Fprintf(w, "- %s: %s\n", label, text)
			}
		}
		item("seen", escape(problem.Reason(r)))
		item("blames", escape(string(problem.Blames())))
		if finding := problem.Finding; finding != nil {
			item("subject", code(finding.Subject))
			item("limit", escape(reports.ShortLimit(finding.Limit)))
			item("evidence", strings.Trim(code(finding.Evidence.Ledger)+", "+reports.EntriesText(finding.Evidence.Entries), ", "))
		}
		item("weakness", escape(problem.Undeclared()))
		if diagnosis := problem.Diagnosis(r); diagnosis != nil {
			item("diagnosis", code(diagnosis.Dir))
		}
		item("change", escape(problem.Remedy()))
		item("policy", code(problem.Policy()))
		item("again", code(problem.Again()))
		fmt.Fprintln(w)
	}
}

func tiers(w *bytes.Buffer, r *reports.Record) {
	rows := r.TierRows()
	if len(rows) == 0 {
		return
	}
	fmt.Fprint(w, "| tier | identities | limit | sent | admitted | denied | refused | failed | lost | verdict |\n")
	fmt.Fprint(w, "|---|--:|---|--:|--:|--:|--:|--:|--:|---|\n")
	for i, row := range rows {
		if i == maxRows {
			fmt.Fprintf(w, "\n%d more are in report.html.\n", len(rows)-maxRows)
			break
		}
		fmt.Fprintf(w, "| %s | %d | %s | %d | %d | %d | %d | %d | %d | %s %s |\n", escape(row.Label()), row.Identities,
			escape(strings.Join(row.Limits, ", ")), row.Sent, row.Admitted, row.Denied, row.Refused, row.Failed, row.Lost,
			sign(row.Verdict), row.Verdict)
	}
	fmt.Fprintln(w)
}

func notJudged(w *bytes.Buffer, r *reports.Record) {
	shown := 0
	for _, kase := range r.Cases {
		if kase.Verdict != reports.NotJudged || shown == maxRows {
			continue
		}
		fmt.Fprintf(w, "- not judged: %s %s: %s\n", escape(kase.ID), escape(kase.Title), escape(kase.Reason))
		shown++
	}
	if shown > 0 {
		fmt.Fprintln(w)
	}
}

func tested(w *bytes.Buffer, r *reports.Record) {
	fmt.Fprint(w, "| component | origin | version |\n|---|---|---|\n")
	for _, part := range r.Stack.Components[:min(maxRows, len(r.Stack.Components))] {
		fmt.Fprintf(w, "| %s | %s | %s |\n", escape(part.Name), part.OriginLabel(), escape(part.Version))
	}
	fmt.Fprintf(w, "\nrun %s · provider %s · lane %s · seed %d · floodgate %s\n\n%s\n",
		escape(r.Run), escape(r.Stack.Provider), escape(r.Lane), r.Seed, escape(r.Version), code(reports.CommandText(r.Command)))
}

func sign(v reports.Verdict) string {
	switch v {
	case reports.Pass:
		return "✅"
	case reports.Fail:
		return "❌"
	case reports.Inconclusive:
		return "❓"
	case reports.NotJudged:
		return "➖"
	}
	return "❓"
}
