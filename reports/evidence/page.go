package evidence

import "time"

// Page is the limiter's metrics text as a strict reader of its format saw it.
type Page struct {
	// Missing is why it could not be read, "" if it was.
	Missing string `json:"missing,omitempty"`
	// Families and Samples are how much there was.
	Families int `json:"families"`
	Samples  int `json:"samples"`
	// Series are how many samples each family has, Took how long the page took, the
	// fastest of several times: neither where nobody asked.
	Series map[string]int `json:"series,omitempty"`
	Took   time.Duration  `json:"took,omitempty"`
	// Defects are the first ways in which it is not what the format says.
	Defects []PageDefect `json:"defects,omitempty"`
}

// PageDefect is one of them. Kind is a word such as "help-missing"; Says may
// quote the page.
type PageDefect struct {
	Kind   string `json:"kind"`
	Line   int    `json:"line,omitempty"`
	Family string `json:"family,omitempty"`
	Says   string `json:"says"`
}

// HelpMissing is the kind of defect that costs people and no number.
const HelpMissing = "help-missing"
