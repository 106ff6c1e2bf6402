package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// EventKind says what an event tells.
type EventKind string

// The events of a case, in the order in which they come.
const (
	CaseBegan EventKind = "began"
	CaseFires EventKind = "fires"
	CaseWaits EventKind = "waits"
	CaseReads EventKind = "reads"
	CaseEnded EventKind = "ended"
)

// Event tells the run's main process what a spec is doing. Events are lines of
// the run's folder, so they survive the run.
type Event struct {
	At   time.Time `json:"at"`
	Case string    `json:"case"`
	Kind EventKind `json:"kind"`
	// Text is for people: at whom is fired, what is waited for.
	Text string `json:"text,omitempty"`
	// Done and Total count hits of the attack under way.
	Done  int `json:"done,omitempty"`
	Total int `json:"total,omitempty"`
	// Left is how long a wait still lasts.
	Left time.Duration `json:"left,omitempty"`
	// Verdict is the case's, when it ended.
	Verdict string `json:"verdict,omitempty"`
}

// events appends to the run's event file. Each line is one write with O_APPEND,
// so processes do not mix theirs.
type events struct {
	mu   sync.Mutex
	file *os.File
}

func openEvents(runDir string) (*events, error) {
	file, err := os.OpenFile(filepath.Join(runDir, eventsFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the run's events: %w", err)
	}
	return &events{file: file}, nil
}

func (e *events) write(event Event) error {
	event.At = time.Now()
	line, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the run's events: %w", err)
	}
	return nil
}

func (e *events) close() error { return e.file.Close() }

// EventReader reads a run's events while they are written.
type EventReader struct {
	file   *os.File
	reader *bufio.Reader
	rest   []byte
}

// FollowEvents opens the events of a run's folder, which need not exist yet.
func FollowEvents(runDir string) (*EventReader, error) {
	file, err := os.OpenFile(filepath.Join(runDir, eventsFile), os.O_RDONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the run's events: %w", err)
	}
	return &EventReader{file: file, reader: bufio.NewReader(file)}, nil
}

// Next returns the next whole event; ok is false when there is none yet.
func (r *EventReader) Next() (event Event, ok bool, err error) {
	line, err := r.reader.ReadBytes('\n')
	r.rest = append(r.rest, line...)
	if errors.Is(err, io.EOF) {
		return Event{}, false, nil
	}
	if err != nil {
		return Event{}, false, fmt.Errorf("read the run's events: %w", err)
	}
	whole := bytes.TrimSuffix(r.rest, []byte("\n"))
	r.rest = nil
	if err := json.Unmarshal(whole, &event); err != nil {
		return Event{}, false, fmt.Errorf("the run's events: %w", err)
	}
	return event, true, nil
}

// Close ends the reading.
func (r *EventReader) Close() error { return r.file.Close() }
