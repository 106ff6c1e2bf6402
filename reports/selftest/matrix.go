package selftest

import (
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
)

// Cell is what became of one rule under one fault.
type Cell int

// The cells. A rule that concerns the fault finds it; Misblamed where its
// findings name another component or none; Beside are rules that failed and do
// not concern the fault.
const (
	Silent Cell = iota
	Found
	Misblamed
	Beside
)

// Glyph tells a cell to those who do not see colours.
func (c Cell) Glyph() string {
	switch c {
	case Found:
		return "X"
	case Misblamed:
		return "o"
	case Beside:
		return "+"
	case Silent:
	}
	return "·"
}

// Word is the cell in words.
func (c Cell) Word() string {
	switch c {
	case Found:
		return "found"
	case Misblamed:
		return "found, blamed on another component or on none"
	case Beside:
		return "failed, does not concern the fault"
	case Silent:
	}
	return "silent"
}

// Matrix are faults against rules.
type Matrix struct {
	// Rules are those that failed somewhere, in the order of all rules.
	Rules []string
	Rows  []Row
}

// Row is a fault, or two.
type Row struct {
	Name  string
	Trial *Trial
	// Verdict is pass if the fault was found and blamed on the right component,
	// fail if it survived, inconclusive if it was misblamed.
	Verdict reports.Verdict
	// Note says why it is no pass.
	Note  string
	Cells []Cell
	// Pair is true for two faults.
	Pair bool
}

// MatrixOf draws up the matrix of a report, the single faults first.
func MatrixOf(r *Report) Matrix {
	var m Matrix
	trials := slices.Concat(r.Single, r.Combined)
	for _, rule := range r.Rules {
		if slices.ContainsFunc(trials, func(t Trial) bool { return t.kill(rule.Name) != nil }) {
			m.Rules = append(m.Rules, rule.Name)
		}
	}
	for i := range trials {
		trial := &trials[i]
		row := Row{Name: trial.Name(), Trial: trial, Verdict: reports.Pass, Pair: len(trial.Faults) > 1}
		switch {
		case !trial.Killed:
			row.Verdict, row.Note = reports.Fail, "SURVIVED"
		case !trial.Attributed:
			row.Verdict, row.Note = reports.Inconclusive, "misblamed"
		}
		for _, rule := range m.Rules {
			row.Cells = append(row.Cells, trial.cell(rule))
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func (t *Trial) kill(rule string) *Kill {
	at := slices.IndexFunc(t.Kills, func(k Kill) bool { return k.Rule == rule })
	if at < 0 {
		return nil
	}
	return &t.Kills[at]
}

func (t *Trial) cell(rule string) Cell {
	kill := t.kill(rule)
	switch {
	case kill == nil:
		return Silent
	case !kill.Concerns:
		return Beside
	case slices.ContainsFunc(t.Faults, func(f Fault) bool {
		return slices.Contains(f.Rules, rule) && kill.Blamed[f.Blame] > 0
	}):
		return Found
	}
	return Misblamed
}
