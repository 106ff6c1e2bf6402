package oracle

import (
	"slices"
	"sort"
	"time"
)

// sweep is the state between two windows.
type sweep struct {
	line            *line
	passed, anchors []hit
	shared          bool
	// next is the first passed hit that was sent at or after from; carried
	// are the surplus hits before it, by answer.
	next    int
	carried []hit
	from    time.Duration
	// ends is the earliest possible end of the window before; alive and
	// anchor are the first hits, by departure, that were answered after it.
	ends          time.Duration
	alive, anchor int
}

// afterUnknownWindow starts the sweep behind a window that may have been open,
// with any count, when the subject's first hit left.
func (s *sweep) afterUnknownWindow(start time.Duration) {
	s.ends = start
	s.from = start + s.line.longest
	s.carried = s.surplus(s.take(s.from), 0)
}

// surplus are the hits that the window cannot hold, of those ordered by answer
// of which the first ones were certainly admitted in it.
func (s *sweep) surplus(within []hit, admitted int) []hit {
	holds := s.quota()
	if s.line.expiryRace {
		holds++
	}
	return slices.Clone(within[min(len(within), max(holds, admitted)):])
}

// step finds the next window; it reports false when no hit is left.
func (s *sweep) step() bool {
	openedBy := s.firstAnswer()
	if openedBy == never {
		return false
	}
	w := window{opened: s.firstOpening(s.ends), openedBy: openedBy, from: s.from, full: never}
	w.ends = w.opened + s.line.shortest
	if w.openedBy >= w.ends && s.next < len(s.passed) {
		s.resume(&w)
	}
	w.until = w.openedBy + s.line.longest
	s.fill(&w)
	return true
}

// fill says what is certain of the hits that were sent before the window's
// latest end, and carries on those that it cannot hold.
func (s *sweep) fill(w *window) {
	within := s.take(w.until)
	quota := s.quota()
	w.admitted = sort.Search(len(within), func(i int) bool { return within[i].received >= w.ends })
	if w.admitted >= quota {
		w.full = within[quota-1].received
	}
	if w.admitted > quota {
		w.hits = slices.Clone(within[:w.admitted])
		slices.SortStableFunc(w.hits, bySent)
	}
	s.carried = s.surplus(within, w.admitted)
	for _, h := range s.carried {
		w.early = max(w.early, w.ends-h.sent)
	}
	s.line.windows = append(s.line.windows, *w)
	s.from, s.ends = w.until, w.ends
}

// resume gives up counting windows where nothing certain is left of the next
// one, and goes on with the window of the first hit decided from s.from on: it
// is that window or a later one, and has not ended by then.
func (s *sweep) resume(w *window) {
	s.carried = nil
	w.openedBy = s.firstAnswer()
	w.opened = max(w.opened, s.firstOpening(s.from))
	w.ends = max(w.opened+s.line.shortest, s.from)
}

// quota as an int: a ledger has fewer entries than that holds.
func (s *sweep) quota() int { return int(min(s.line.limit.Quota, int64(len(s.passed))+1)) }

// firstAnswer is when the first of the hits still to place was answered.
func (s *sweep) firstAnswer() time.Duration {
	answer := never
	for _, h := range s.carried {
		answer = min(answer, h.received)
	}
	for _, h := range s.passed[s.next:] {
		if h.sent >= answer {
			break
		}
		answer = min(answer, h.received)
	}
	return answer
}

// firstOpening is the earliest moment at which the window can have opened that
// holds the first hit admitted since.
func (s *sweep) firstOpening(since time.Duration) time.Duration {
	for s.passed[s.alive].received < since {
		s.alive++
	}
	admitted := max(s.passed[s.alive].sent, since)
	opening := max(s.ends, admitted-s.line.longest)
	if s.shared {
		return opening
	}
	for s.anchors[s.anchor].received < opening {
		s.anchor++
	}
	return max(s.anchors[s.anchor].sent, opening)
}

// take removes the hits sent before the moment and returns them, with those
// carried, by answer.
func (s *sweep) take(before time.Duration) []hit {
	end := s.next
	for end < len(s.passed) && s.passed[end].sent < before {
		end++
	}
	taken := slices.Concat(s.carried, s.passed[s.next:end])
	s.next = end
	slices.SortStableFunc(taken, byReceived)
	return taken
}
