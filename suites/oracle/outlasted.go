package oracle

import "fmt"

// outlasted is why the quota that a caller had spent may have begun anew before one
// of its hits was decided, "" where it cannot have. A case about a spent quota says
// nothing of a policy whose shortest window ends while the case fires.
func (t *trial) outlasted(number int) string {
	shortest := never
	for _, l := range t.limits {
		shortest = min(shortest, l.Window)
	}
	opened, hit := never, &t.entries[number-1]
	for i := range t.entries {
		if e := &t.entries[i]; e.Identity == hit.Identity && isPassed(e) {
			opened = min(opened, e.Sent)
		}
	}
	if opened == never || shortest == never {
		return ""
	}
	if decided := hit.Received; decided-opened >= shortest-Edge(shortest) {
		return fmt.Sprintf("entry %d was answered %s after the caller's first hit, and a window lasts %s",
			number, at(decided-opened), shortest)
	}
	return ""
}

// sortedByWindow are the entries among those, by number, that certainly met the spent
// quota, and why is what is not known of the first other one.
func (t *trial) sortedByWindow(numbers []int) (certain []int, why string) {
	for _, number := range numbers {
		switch reason := t.outlasted(number); {
		case reason == "":
			certain = append(certain, number)
		case why == "":
			why = reason
		}
	}
	return certain, why
}
