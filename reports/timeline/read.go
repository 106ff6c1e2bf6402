package timeline

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Budget bounds what Read keeps, so that a page stays small.
type Budget struct {
	// Strips is how many identities are drawn; those with the worst verdicts
	// come first. Dots is how many hits are drawn in all, besides those that
	// decided a verdict.
	Strips, Dots int
}

// Lines are the strips of a run and what could not be drawn.
type Lines struct {
	// Strips are in the order of the record's cases, and in a case by the
	// identity's first entry.
	Strips []Strip
	// LeftOut counts identities beyond the budget.
	LeftOut int
	// Unread says in words which ledgers could not be read to their end.
	Unread []string
}

// Read draws the ledgers of a run's folder. It reads each of them twice, so it
// needs little memory however long they are. A ledger that cannot be read is
// told in Unread: what is left of a killed run is worth seeing.
func Read(dir string, r *reports.Record, budget Budget) Lines {
	var lines Lines
	for i := range r.Cases {
		for _, ledger := range ledgersOf(&r.Cases[i]) {
			strips, err := survey(dir, ledger, r, &r.Cases[i])
			if err != nil {
				// The error repeats the folder, which is not the record's matter.
				text := strings.ReplaceAll(err.Error(), filepath.Clean(dir)+string(filepath.Separator), "")
				lines.Unread = append(lines.Unread, text)
			}
			lines.Strips = append(lines.Strips, strips...)
		}
	}
	lines = lines.Worst(budget.Strips)
	if len(lines.Strips) > 0 {
		dots := budget.Dots / len(lines.Strips)
		for begin := 0; begin < len(lines.Strips); {
			end := begin + 1
			for end < len(lines.Strips) && lines.Strips[end].Case == lines.Strips[begin].Case &&
				lines.Strips[end].Ledger == lines.Strips[begin].Ledger {
				end++
			}
			draw(dir, lines.Strips[begin:end], dots)
			begin = end
		}
	}
	return lines
}

// Worst keeps so many strips, those with the worst verdicts, in their order.
func (l Lines) Worst(keep int) Lines {
	if len(l.Strips) <= keep {
		return l
	}
	urgency := []reports.Verdict{reports.Fail, reports.Inconclusive, reports.Pass, reports.NotJudged}
	kept := make([]Strip, 0, keep)
	chosen := make([]bool, len(l.Strips))
	room := keep
	for _, verdict := range urgency {
		for i := range l.Strips {
			if l.Strips[i].Verdict == verdict && room > 0 {
				chosen[i] = true
				room--
			}
		}
	}
	for i, strip := range l.Strips {
		if chosen[i] {
			kept = append(kept, strip)
		}
	}
	l.LeftOut += len(l.Strips) - len(kept)
	l.Strips = kept
	return l
}

// ledgersOf are the ledgers that a case's files and findings name.
func ledgersOf(kase *reports.Case) []string {
	var ledgers []string
	add := func(path string) {
		if strings.HasSuffix(path, ".jsonl") && !slices.Contains(ledgers, path) {
			ledgers = append(ledgers, path)
		}
	}
	for _, path := range kase.Evidence {
		add(path)
	}
	for _, finding := range kase.Findings {
		add(finding.Evidence.Ledger)
	}
	return ledgers
}

// survey finds the identities of a ledger, when each was active and how its
// hits ended.
func survey(dir, ledger string, r *reports.Record, kase *reports.Case) ([]Strip, error) {
	if !filepath.IsLocal(ledger) {
		return nil, fmt.Errorf("ledger %q of case %s is not in the run's folder", ledger, kase.ID)
	}
	var strips []Strip
	index := make(map[string]int)
	for e, err := range evidence.Scan(filepath.Join(dir, ledger)) {
		if err != nil {
			return strips, err
		}
		at, known := index[e.Identity]
		if !known {
			at = len(strips)
			index[e.Identity] = at
			strips = append(strips, Strip{
				Case: kase, Identity: e.Identity, Ledger: ledger,
				Verdict: verdictOf(kase, e.Identity), Limit: limitOf(r, kase, e.Identity),
				From: e.Sent, To: e.Received, Counts: make(map[evidence.Outcome]int),
			})
		}
		strip := &strips[at]
		strip.From, strip.To = min(strip.From, e.Sent), max(strip.To, e.Received)
		strip.Hits++
		strip.Counts[e.Outcome]++
	}
	return strips, nil
}

// draw fills the strips of one case and ledger.
func draw(dir string, strips []Strip, dots int) {
	decided := make(map[int]bool)
	for _, finding := range strips[0].Case.Findings {
		if finding.Verdict == reports.Pass || finding.Evidence.Ledger != strips[0].Ledger {
			continue
		}
		for _, entry := range finding.Evidence.Entries {
			decided[entry] = true
		}
	}
	drawings := make(map[string]*drawing)
	for i := range strips {
		drawings[strips[i].Identity] = newDrawing(&strips[i], decided, dots)
	}
	ordered := order{yield: func(e evidence.Entry) {
		if d := drawings[e.Identity]; d != nil {
			d.add(e)
		}
	}}
	for e, err := range evidence.Scan(filepath.Join(dir, strips[0].Ledger)) {
		if err != nil {
			break // survey has told it, and what came before it is drawn
		}
		ordered.add(e)
	}
	ordered.flush()
	for _, d := range drawings {
		d.shut()
	}
}
