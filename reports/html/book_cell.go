package html

import (
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// bookCell is what one book says of one quantity. Class is "differs" for what
// contradicts the client, "absent" for a book that was not available, or
// "none" for what a book does not count.
type bookCell struct {
	Text, Delta, Class string
}

func absent() bookCell { return bookCell{Text: "not available", Class: "absent"} }
func none() bookCell   { return bookCell{Text: "·", Class: "none"} }

// span is what the client's numbers allow another book to say: a hit without a
// clear answer may or may not stand in it.
type span struct{ low, high int }

// delta is how far value lies outside of the span, "" if it does not.
func (s span) delta(value int64) string {
	switch {
	case value < int64(s.low):
		return fmt.Sprintf("−%d", int64(s.low)-value)
	case value > int64(s.high):
		return fmt.Sprintf("+%d", value-int64(s.high))
	default:
		return ""
	}
}

// calls shows one of a limiter's tallies, if there is a book to take it from.
func (s span) calls(book *evidence.Calls, of func(evidence.Calls) int64) bookCell {
	if book == nil {
		return absent()
	}
	return bookCell{Text: fmt.Sprint(of(*book)), Delta: s.delta(of(*book))}
}

// gateway shows one of the gateway's counters.
func (s span) gateway(book *evidence.GatewayBook, of func(evidence.GatewayBook) int64) bookCell {
	if book == nil {
		return absent()
	}
	return bookCell{Text: fmt.Sprint(of(*book)), Delta: s.delta(of(*book))}
}

// backend shows what the model server served.
func (s span) backend(served *int64) bookCell {
	if served == nil {
		return absent()
	}
	return bookCell{Text: fmt.Sprint(*served), Delta: s.delta(*served)}
}

// marked makes a difference one that nobody overlooks.
func (c bookCell) marked() bookCell {
	if c.Delta != "" {
		c.Class = "differs"
	}
	return c
}

// pair shows two cells of one book as one: "10 / 4 (−1 / +1)".
func pair(first, second bookCell) bookCell {
	if first.Class == "absent" {
		return first
	}
	both := bookCell{Text: first.Text + " / " + second.Text}
	if first.Delta == "" && second.Delta == "" {
		return both
	}
	deltas := []string{first.Delta, second.Delta}
	for i, delta := range deltas {
		if delta == "" {
			deltas[i] = "±0"
		}
	}
	both.Delta = strings.Join(deltas, " / ")
	return both
}
