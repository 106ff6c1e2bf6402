package html

import "github.com/floodgate-dev/floodgate/reports"

type workersView struct {
	Workers []reports.WorkerRow
	// LeftOut are workers beyond the page's size.
	LeftOut int
	Notes   []workerNote
}

// workerNote is what a reader must know of shares, such as why one fired alone.
type workerNote struct {
	Note   string
	Shares int
}

func viewWorkers(p *page) any {
	rows := p.Record.WorkerRows()
	if len(rows) == 0 {
		return nil
	}
	var view workersView
	view.Workers, view.LeftOut = head(rows, p.size.rows)
	index := map[string]int{}
	for _, kase := range p.Record.Cases {
		for _, share := range kase.Workers {
			if share.Note == "" {
				continue
			}
			at, known := index[share.Note]
			if !known {
				at = len(view.Notes)
				index[share.Note] = at
				view.Notes = append(view.Notes, workerNote{Note: share.Note})
			}
			view.Notes[at].Shares++
		}
	}
	view.Notes, _ = head(view.Notes, p.size.rows)
	return view
}
