package html

import (
	"fmt"
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

type timelineView struct {
	Cases   []stripCase
	LeftOut int
	Unread  []string
	Legend  []evidence.Outcome
}

// stripCase are a case's strips. It is open where there is something to see.
type stripCase struct {
	Case    *reports.Case
	Anchor  string
	Verdict reports.Verdict
	Open    bool
	Strips  []*stripView
}

// fewStrips are shown without a click, all of them.
const fewStrips = 6

func viewTimeline(p *page) any {
	view := timelineView{
		LeftOut: p.Lines.LeftOut,
		Legend:  outcomes(),
	}
	unread, more := head(p.Lines.Unread, p.size.rows)
	view.Unread = unread
	if more > 0 {
		view.Unread = append(slices.Clone(unread), fmt.Sprintf("%d more ledgers", more))
	}
	if len(p.strips) == 0 && len(view.Unread) == 0 {
		return nil
	}
	for i := range p.strips {
		strip := &p.strips[i]
		last := len(view.Cases) - 1
		if last < 0 || view.Cases[last].Case != strip.Case {
			verdict := strip.Case.Verdict
			view.Cases = append(view.Cases, stripCase{
				Case: strip.Case, Anchor: p.anchors[strip.Case], Verdict: verdict,
				Open: verdict == reports.Fail || verdict == reports.Inconclusive || len(p.strips) <= fewStrips,
			})
			last++
		}
		view.Cases[last].Strips = append(view.Cases[last].Strips, strip)
	}
	return view
}

// outcomes are in the order in which people ask for them.
func outcomes() []evidence.Outcome {
	return []evidence.Outcome{evidence.Admitted, evidence.Denied, evidence.Refused, evidence.Failed, evidence.Lost}
}
