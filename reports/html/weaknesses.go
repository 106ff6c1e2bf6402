package html

import "github.com/floodgate-dev/floodgate/reports"

type weaknessesView struct {
	Declared []reports.Declaration
	Seen     []weaknessView
	// LeftOut are findings beyond the page's size.
	LeftOut int
}

type weaknessView struct {
	Anchor, Case, Title, Names, Reason, Subject string
}

func viewWeaknesses(p *page) any {
	seen, leftOut := head(p.Record.Weaknesses(), p.size.rows)
	view := weaknessesView{LeftOut: leftOut}
	view.Declared, _ = head(p.Record.Declared, p.size.rows)
	for _, w := range seen {
		view.Seen = append(view.Seen, weaknessView{
			Anchor: p.anchors[w.Case], Case: w.Case.ID, Title: w.Title(), Names: w.DeclaredText(p.Record),
			Reason: w.Finding.Reason, Subject: w.Finding.Subject,
		})
	}
	if len(view.Declared) == 0 && len(view.Seen) == 0 {
		return nil
	}
	return view
}
