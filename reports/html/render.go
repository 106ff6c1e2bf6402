// Package html draws a run as one page that needs nothing else: no network, no
// script, no second file. It is for somebody whose pull request just went red,
// so what failed comes first.
//
// A section of the page is a template and a function in a file of the same
// name, and one line in sections.
package html

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/timeline"
)

// Run is what a page is drawn from.
type Run struct {
	Record *reports.Record
	Lines  timeline.Lines
}

// Read reads a run's folder: its record and the ledgers that the record names.
func Read(dir string) (Run, error) {
	record, err := reports.Load(filepath.Join(dir, reports.RecordFile))
	if err != nil {
		return Run{}, err
	}
	return Run{Record: record, Lines: timeline.Read(dir, record, timeline.Budget{Strips: 100, Dots: 6_000})}, nil
}

// section is one part of the page. Its view is what its template, the file of
// the same name, shows; a nil view leaves the section out.
type section struct {
	Name, Title string
	view        func(*page) any
}

func sections() []section {
	return []section{
		{"verdict", "Verdict", viewVerdict},
		{"problems", "Failures and doubts", viewProblems},
		{"weaknesses", "Declared weaknesses", viewWeaknesses},
		{"tiers", "Tiers", viewTiers},
		{"books", "Books", viewBooks},
		{"workers", "Workers", viewWorkers},
		{"timeline", "Timeline", viewTimeline},
		{"cases", "Cases", viewCases},
		{"readiness", "Readiness", viewReadiness},
		{"stack", "Components", viewStack},
		{"data", "Data", viewData},
	}
}

//go:embed *.gohtml
var templates embed.FS

//go:embed style.css
var style string

// Render draws the page. The same run gives the same bytes.
func Render(w io.Writer, run Run) error {
	var out bytes.Buffer
	for _, size := range sizes() {
		out.Reset()
		if err := draw(&out, newPage(run, size)); err != nil {
			return err
		}
		if out.Len() <= MaxBytes {
			break
		}
	}
	if _, err := out.WriteTo(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func draw(w io.Writer, p *page) error {
	parsed, err := template.New("page").Funcs(template.FuncMap{
		"glyph": glyph, "class": class, "clip": p.clip,
	}).ParseFS(templates, "*.gohtml")
	if err != nil {
		return fmt.Errorf("report templates: %w", err)
	}
	type drawn struct {
		section
		View any
	}
	var parts []drawn
	for _, s := range sections() {
		if view := s.view(p); view != nil {
			parts = append(parts, drawn{s, view})
		}
	}
	head := struct {
		Title string
		// Style is the embedded style sheet, never text of a run.
		Style    template.CSS
		Sections []drawn
	}{p.Record.Verdict.String() + ": floodgate run " + p.Record.Run, template.CSS(style), parts}
	if err := parsed.ExecuteTemplate(w, "head.gohtml", head); err != nil {
		return fmt.Errorf("report head: %w", err)
	}
	for _, part := range parts {
		if err := parsed.ExecuteTemplate(w, part.Name+".gohtml", part.View); err != nil {
			return fmt.Errorf("report section %s: %w", part.Name, err)
		}
	}
	if err := parsed.ExecuteTemplate(w, "foot.gohtml", nil); err != nil {
		return fmt.Errorf("report foot: %w", err)
	}
	return nil
}
