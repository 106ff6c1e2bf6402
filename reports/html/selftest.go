package html

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/selftest"
)

//go:embed selftest.css
var selfTestStyle string

// selfTestView is what the page of a self-test is drawn from.
type selfTestView struct {
	*selftest.Report
	Title string
	// Style is the embedded style sheet, never text of a run.
	Style    template.CSS
	Sections []selfTestSection
	Took     string
	Rows     []selfTestRow
	Columns  []selfTestColumn
	Survived []selftest.Trial
	Blamed   []selftest.Trial
	Systems  []selfTestSystem
}

type selfTestSection struct{ Name, Title string }

type selfTestColumn struct {
	Name  string
	Kills int
	Only  []string
}

type selfTestRow struct {
	selftest.Row
	Cells []selfTestCell
}

type selfTestCell struct {
	Rule  string
	Glyph string
	Word  string
	Class string
	// Cases are those in which the rule failed.
	Cases []string
}

type selfTestSystem struct {
	selftest.Variant
	Verdict reports.Verdict
	Took    string
}

// RenderSelfTest draws the page of a self-test. The same report gives the same
// bytes.
func RenderSelfTest(w io.Writer, r *selftest.Report) error {
	view := viewSelfTest(r)
	parsed, err := template.New("selftest").Funcs(template.FuncMap{
		"glyph": glyph, "class": class, "clip": clipSelfTest,
	}).ParseFS(templates, "head.gohtml", "foot.gohtml", "selftest.gohtml")
	if err != nil {
		return fmt.Errorf("self-test templates: %w", err)
	}
	var page bytes.Buffer
	for _, part := range []string{"head.gohtml", "selftest.gohtml", "foot.gohtml"} {
		if err := parsed.ExecuteTemplate(&page, part, view); err != nil {
			return fmt.Errorf("self-test page: %w", err)
		}
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("write self-test page: %w", err)
	}
	return nil
}

// clipSelfTest makes a text of a run fit to be shown.
func clipSelfTest(text string) string { return reports.Clip(text, selfTestText) }

// selfTestText is the longest text of a run that the page shows.
const selfTestText = 600

func viewSelfTest(r *selftest.Report) selfTestView {
	view := selfTestView{
		Report: r, Title: r.Verdict.String() + ": floodgate selftest", Style: template.CSS(style + selfTestStyle),
		Took: took(r.Duration.Round(time.Second)),
	}
	matrix := selftest.MatrixOf(r)
	for _, rule := range r.Rules {
		view.Columns = append(view.Columns, selfTestColumn{rule.Name, rule.Kills, rule.Only})
	}
	for _, row := range matrix.Rows {
		drawn := selfTestRow{Row: row}
		for i, cell := range row.Cells {
			drawn.Cells = append(drawn.Cells, viewCell(row.Trial, matrix.Rules[i], cell))
		}
		view.Rows = append(view.Rows, drawn)
		switch {
		case !row.Trial.Killed:
			view.Survived = append(view.Survived, *row.Trial)
		case !row.Trial.Attributed:
			view.Blamed = append(view.Blamed, *row.Trial)
		}
	}
	for _, variant := range r.Correct {
		view.Systems = append(view.Systems, selfTestSystem{variant, variant.Opinion(), took(variant.Took.Round(time.Second))})
	}
	view.Sections = []selfTestSection{{"verdict", "Verdict"}}
	for _, section := range []struct {
		there bool
		selfTestSection
	}{
		{len(view.Survived)+len(view.Blamed) > 0, selfTestSection{"problems", "Survivors"}},
		{len(view.Systems) > 0, selfTestSection{"systems", "Correct systems"}},
		{len(view.Rows) > 0, selfTestSection{"matrix", "Faults and rules"}},
		{len(view.Columns) > 0, selfTestSection{"rules", "Rules"}},
		{true, selfTestSection{"data", "Data"}},
	} {
		if section.there {
			view.Sections = append(view.Sections, section.selfTestSection)
		}
	}
	return view
}

func viewCell(trial *selftest.Trial, rule string, cell selftest.Cell) selfTestCell {
	drawn := selfTestCell{Rule: rule, Glyph: cell.Glyph(), Word: cell.Word()}
	switch cell {
	case selftest.Found:
		drawn.Class = "pass"
	case selftest.Misblamed:
		drawn.Class = "inconclusive"
	case selftest.Beside:
		drawn.Class = "not-judged"
	case selftest.Silent:
		drawn.Class = "silent"
	}
	for _, kill := range trial.Kills {
		if kill.Rule == rule {
			drawn.Cases = kill.Cases
		}
	}
	return drawn
}
