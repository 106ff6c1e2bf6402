package crew

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
)

// scroll is a share's ledger in memory: one JSON object a line, which readers
// get as they are written, each from where it wants.
type scroll struct {
	mu    sync.Mutex
	lines []byte
	ended bool
	// grown is closed, and made anew, when there is more to read.
	grown chan struct{}
}

func newScroll() *scroll { return &scroll{grown: make(chan struct{})} }

// Write takes whole lines, as evidence.Ledger hands them over.
func (s *scroll) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, lines...)
	s.wake()
	return len(lines), nil
}

// Close leaves the end to finish, which knows how the share went.
func (*scroll) Close() error { return nil }

// finish writes the last line.
func (s *scroll) finish(e end) {
	line, err := json.Marshal(map[string]end{"end": e})
	if err != nil {
		line = []byte(`{"end":{}}`)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(append(s.lines, line...), '\n')
	s.ended = true
	s.wake()
}

func (s *scroll) wake() {
	close(s.grown)
	s.grown = make(chan struct{})
}

// from is what stands at and after a place, and whether that is all there will
// ever be; where there is nothing yet it waits until there is, or ctx ends.
func (s *scroll) from(ctx context.Context, at int) (lines []byte, ended bool) {
	for {
		s.mu.Lock()
		lines, ended = bytes.Clone(s.lines[min(at, len(s.lines)):]), s.ended
		grown := s.grown
		s.mu.Unlock()
		if len(lines) > 0 || ended {
			return lines, ended
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, false
		}
	}
}
