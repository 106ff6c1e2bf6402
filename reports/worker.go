package reports

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Worker is what one worker did in an attack that several share.
type Worker struct {
	Attack string `json:"attack"`
	Name   string `json:"name"`
	// Planned are the hits of its share, Fired those that it handed over, Lost
	// those without an answer, and those that it did not hand over.
	Planned int `json:"planned"`
	Fired   int `json:"fired"`
	Lost    int `json:"lost,omitempty"`
	// PlannedRate and Rate are hits per second, PlannedRate 0 where the plan has
	// none, and Rate where there are fewer than two hits.
	PlannedRate float64 `json:"plannedRate,omitempty"`
	Rate        float64 `json:"rate,omitempty"`
	// Offset is the worker's clock minus the run's, by which its times were
	// translated, give or take Uncertainty, the worst of its entries.
	Offset      time.Duration `json:"offset"`
	Uncertainty time.Duration `json:"uncertainty"`
	// Note is what a reader must know of the share.
	Note string `json:"note,omitempty"`
}

// WorkerRow sums what one worker did in the run.
type WorkerRow struct {
	Worker
	// Attacks are how many it had a share in, Rated those of them that had a
	// rate; PlannedRate and Rate are of the one that fell shortest.
	Attacks, Rated int
	// Idle are the attacks of the run in which it had no share.
	Idle int
}

// WorkerRows sums the workers' shares, by worker; nil where no attack was
// shared.
func (r *Record) WorkerRows() []WorkerRow {
	index := map[string]*WorkerRow{}
	type key struct{ kase, attack string }
	shared := map[key]bool{}
	for _, kase := range r.Cases {
		for _, w := range kase.Workers {
			shared[key{kase.ID + kase.Lane, w.Attack}] = true
			row := index[w.Name]
			if row == nil {
				row = &WorkerRow{Worker: Worker{Name: w.Name}}
				index[w.Name] = row
			}
			row.add(w)
		}
	}
	var rows []WorkerRow
	for _, row := range index {
		row.Idle = len(shared) - row.Attacks
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b WorkerRow) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return rows
}

func (row *WorkerRow) add(w Worker) {
	row.Attacks++
	row.Planned += w.Planned
	row.Fired += w.Fired
	row.Lost += w.Lost
	if w.Uncertainty >= row.Uncertainty {
		row.Offset, row.Uncertainty = w.Offset, w.Uncertainty
	}
	if w.PlannedRate <= 0 {
		return
	}
	row.Rated++
	if row.Rated == 1 || w.Rate*row.PlannedRate < row.Rate*w.PlannedRate {
		row.PlannedRate, row.Rate = w.PlannedRate, w.Rate
	}
}

// AttacksText is in how many of the run's shared attacks it had a share.
func (row WorkerRow) AttacksText() string {
	if row.Idle == 0 && row.Attacks == 1 {
		return "1 attack"
	}
	if row.Idle == 0 {
		return fmt.Sprintf("%d attacks", row.Attacks)
	}
	return fmt.Sprintf("%d of %d attacks", row.Attacks, row.Attacks+row.Idle)
}

// HitsText is how many hits it fired of those planned.
func (row WorkerRow) HitsText() string {
	text := fmt.Sprintf("%d of %d", row.Fired, row.Planned)
	if row.Lost > 0 {
		text += fmt.Sprintf(", %d lost", row.Lost)
	}
	return text
}

// ClockText is how its clock stood to the run's.
func (row WorkerRow) ClockText() string {
	offset, unsure := row.Offset, row.Uncertainty
	sign := "+"
	if offset < 0 {
		sign = ""
	}
	return fmt.Sprintf("%s%v ± %v", sign, offset.Round(time.Microsecond), unsure.Round(time.Microsecond))
}

// RateText is the rate that fell shortest of its plan, "" where none had one.
func (row WorkerRow) RateText() string {
	if row.Rated == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f of %.1f hits/s", row.Rate, row.PlannedRate)
}
