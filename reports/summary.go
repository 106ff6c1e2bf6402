package reports

import (
	"fmt"
	"strings"
	"time"
)

// Counts are a run's numbers as its last line gives them.
type Counts struct {
	// Cases are those that were judged: Passed, Failed or Inconclusive.
	Cases, Passed, Failed, Inconclusive int
	// NotJudged are the cases that did not run.
	NotJudged int
	// Identities are distinct callers; a caller without a name is none.
	Identities int
	// Hits are all that were sent.
	Hits int
	// Doubts are the inconclusive findings, the inconclusive cases that no
	// such finding explains, and the run's own doubt if nothing else says why
	// it is inconclusive.
	Doubts int
	// Weaknesses are the declared ones that were seen.
	Weaknesses int
}

// Counts adds the record up.
func (r *Record) Counts() Counts {
	var c Counts
	for _, kase := range r.Cases {
		switch kase.Verdict {
		case Pass:
			c.Passed++
		case Fail:
			c.Failed++
		case Inconclusive:
			c.Inconclusive++
		case NotJudged:
			c.NotJudged++
		}
	}
	c.Cases = c.Passed + c.Failed + c.Inconclusive
	named := make(map[string]bool)
	for _, tally := range r.Identities {
		c.Hits += tally.Sent
		if tally.Name != "" {
			named[tally.Subject()] = true
		}
	}
	c.Identities = len(named)
	for _, p := range r.Problems() {
		if p.Verdict == Inconclusive {
			c.Doubts++
		}
	}
	seen := make(map[string]bool)
	for _, w := range r.Weaknesses() {
		for _, name := range w.Finding.Weaknesses {
			seen[name] = true
		}
	}
	c.Weaknesses = len(seen)
	return c
}

// Duration is how long the run took; of a run that was killed, until the end
// of the last case that it wrote down.
func (r *Record) Duration() time.Duration {
	end := r.Ended
	if end.IsZero() {
		for _, kase := range r.Cases {
			if caseEnd := kase.Began.Add(kase.Duration); caseEnd.After(end) {
				end = caseEnd
			}
		}
	}
	return max(0, end.Sub(r.Began))
}

// Summary is a run's last line, such as
//
//	FAIL 2 of 22 cases, 5 identities, 412 hits, 0 doubts, 41 s · out/20261122T210000Z/report.html
//
// where report is the path of the page to read. Declared weaknesses that were
// seen, and cases that were not judged, are named after the duration if there
// are any, and doubts before the report. A page leaves report out, and tells its
// doubts itself.
func (r *Record) Summary(report string) string {
	c := r.Counts()
	cases := plural(c.Cases, "case", "cases")
	switch r.Verdict {
	case Fail:
		cases = fmt.Sprintf("%d of %s", c.Failed, cases)
	case Inconclusive:
		if c.Inconclusive > 0 {
			cases = fmt.Sprintf("%d of %s", c.Inconclusive, cases)
		}
	case Pass, NotJudged:
	}
	word := strings.ToUpper(r.Verdict.String())
	if r.PassedInDoubt() {
		word += " WITH DOUBTS"
	}
	line := fmt.Sprintf("%s %s, %s, %s, %s, %.0f s", word, cases,
		plural(c.Identities, "identity", "identities"), plural(c.Hits, "hit", "hits"),
		plural(c.Doubts, "doubt", "doubts"), r.Duration().Seconds())
	if c.Weaknesses > 0 {
		line += ", " + plural(c.Weaknesses, "declared weakness", "declared weaknesses")
	}
	if c.NotJudged > 0 {
		line += fmt.Sprintf(", %d not judged", c.NotJudged)
	}
	if report != "" {
		if doubt := r.DoubtText(); doubt != "" && r.Verdict != Fail {
			line += " · " + doubt
		}
		line += " · " + report
	}
	return line
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
