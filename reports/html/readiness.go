package html

import "github.com/floodgate-dev/floodgate/reports"

type readinessView struct {
	Steps    []string
	Variants []reports.Readiness
	Notes    []string
	// LeftOut are variants beyond the page's size.
	LeftOut int
}

func viewReadiness(p *page) any {
	if len(p.Record.Readiness) == 0 {
		return nil
	}
	view := readinessView{Steps: reports.ReadinessSteps()}
	view.Variants, view.LeftOut = head(p.Record.Readiness, p.size.rows)
	for _, variant := range view.Variants {
		view.Notes = append(view.Notes, variant.Notes()...)
	}
	view.Notes, _ = head(view.Notes, p.size.rows)
	return view
}
