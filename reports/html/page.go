package html

import (
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// page is what the sections are drawn from.
type page struct {
	Run
	size size
	// anchors name each case in links to the page, such as #B12.
	anchors map[*reports.Case]string
	// problems are the fails and doubts that the page shows, moreProblems how
	// many it leaves out.
	problems     []reports.Problem
	moreProblems int
	// strips are the drawn strips, in the order of Lines.Strips.
	strips []stripView
}

func newPage(run Run, size size) *page {
	run.Lines = run.Lines.Worst(size.strips)
	p := &page{Run: run, size: size, anchors: make(map[*reports.Case]string)}
	taken := make(map[string]bool)
	for _, s := range sections() {
		taken[s.Name] = true
	}
	for i := range run.Record.Cases {
		kase := &run.Record.Cases[i]
		anchor := anchorOf(kase.ID)
		for n := 2; taken[anchor]; n++ {
			anchor = fmt.Sprintf("%s-%d", anchorOf(kase.ID), n)
		}
		taken[anchor] = true
		p.anchors[kase] = anchor
	}
	p.problems, p.moreProblems = head(run.Record.Problems(), size.problems)
	for i := range run.Lines.Strips {
		p.strips = append(p.strips, viewStrip(&run.Lines.Strips[i]))
	}
	return p
}

// anchorOf keeps of a case's ID what needs no escaping in a link.
func anchorOf(id string) string {
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		default:
			return -1
		}
	}, id)
	if anchor == "" {
		return "case"
	}
	return anchor
}

// glyph tells a verdict to those who do not see its colour.
func glyph(v reports.Verdict) string {
	switch v {
	case reports.Pass:
		return "✓"
	case reports.Fail:
		return "✗"
	case reports.Inconclusive:
		return "?"
	case reports.NotJudged:
		return "–"
	}
	return "?"
}

// class is a verdict's name in the style sheet.
func class(v reports.Verdict) string { return strings.ReplaceAll(v.String(), " ", "-") }

// clip makes a text of a run fit to be shown; the record has all of it.
func (p *page) clip(text string) string { return reports.Clip(text, p.size.text) }

// head is the first most of rows and how many there are besides.
func head[T any](rows []T, most int) (shown []T, leftOut int) {
	if len(rows) <= most {
		return rows, 0
	}
	return rows[:most], len(rows) - most
}
