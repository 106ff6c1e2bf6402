package html

// MaxBytes is the page's size budget: artefact viewers and mail cope with it.
const MaxBytes = 2 << 20

// size bounds what a page shows. The record has everything; the page says how
// much it leaves out.
type size struct {
	// rows of each table, problems in full, pictures beside them, findings of
	// a case, strips of the timeline.
	rows, problems, pictures, findings, strips int
	// text is the most bytes of one text of the run, data those of the
	// embedded record.
	text, data int
}

// sizes are tried in turn until a page is within MaxBytes. The first fits
// every run of a sound system; the last fits whatever a hostile one says.
func sizes() []size {
	return []size{
		{rows: 400, problems: 80, pictures: 12, findings: 30, strips: 100, text: 1500, data: 400 << 10},
		{rows: 200, problems: 40, pictures: 6, findings: 10, strips: 40, text: 300, data: 100 << 10},
		{rows: 50, problems: 20, text: 100, findings: 5},
	}
}
