package html

import "github.com/floodgate-dev/floodgate/reports"

type stackView struct {
	Parts []reports.Part
	All   int
	// StandIns counts the parts that are stand-ins.
	StandIns int
}

func viewStack(p *page) any {
	all := p.Record.Stack.Components
	view := stackView{All: len(all)}
	view.Parts, _ = head(all, p.size.rows)
	for _, part := range all {
		if part.StandsIn() {
			view.StandIns++
		}
	}
	return view
}
