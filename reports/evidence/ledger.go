package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	ledgerVersion = "floodgate/v1"
	// flushSize and flushAfter bound what a killed run loses: so many bytes, or
	// so much time, whichever is less.
	flushSize  = 64 << 10
	flushAfter = 200 * time.Millisecond
)

// errClosed is what a ledger answers once it has been closed.
var errClosed = errors.New("the ledger is closed")

// Ledger is a file of entries, one JSON object a line after the header's line,
// that grows while its attacks run. Several attacks may write to it at once.
//
// Entries reach the file within 200 ms. A write that fails, on a full disk for
// instance, is kept: every later Append and Close returns it, so that a run
// with a hole in its evidence cannot end as if it had none.
type Ledger struct {
	path   string
	header Header

	mu      sync.Mutex
	file    io.WriteCloser
	buf     []byte
	entries int
	attacks map[string]bool
	flusher *time.Timer
	armed   bool
	err     error
}

// Create starts the ledger at path, which must not exist; missing folders are
// made. It sets the header's APIVersion and Began: the ledger's clock is at 0
// now.
func Create(path string, h Header) (*Ledger, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l, err := newLedger(path, file, h)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// Stream is a ledger that is written to out instead of a file, for hits that
// another process keeps. Its clock is at 0 now; Close closes out.
func Stream(out io.WriteCloser, h Header) (*Ledger, error) { return newLedger("stream", out, h) }

func newLedger(path string, file io.WriteCloser, h Header) (*Ledger, error) {
	h.APIVersion, h.Began = ledgerVersion, time.Now()
	line, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("ledger %s: header: %w", path, err)
	}
	l := &Ledger{path: path, file: file, header: h, attacks: map[string]bool{}}
	l.flusher = time.AfterFunc(flushAfter, l.flushDirty)
	l.flusher.Stop()
	l.buf = append(append(l.buf, line...), '\n')
	l.flush()
	return l, l.err
}

// Header is the ledger's first line.
func (l *Ledger) Header() Header { return l.header }

// Since is the ledger's clock: the monotonic time since Began, which all of its
// attacks share.
func (l *Ledger) Since() time.Duration { return time.Since(l.header.Began) }

// Claim reserves an attack's name, so that the ids of its hits are unique. An
// empty name is replaced by "attack-1", "attack-2" and so on; a name that is
// taken is an error.
func (l *Ledger) Claim(attack string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := len(l.attacks) + 1; attack == ""; n++ {
		if free := fmt.Sprintf("attack-%d", n); !l.attacks[free] {
			attack = free
		}
	}
	if l.attacks[attack] {
		return "", fmt.Errorf("ledger %s has an attack %q already: give each attack of a case its own name", l.path, attack)
	}
	l.attacks[attack] = true
	return attack, nil
}

// Append writes e and sets its Number. An error means that this entry or one
// before it is not on disk; it is never nil again afterwards.
func (l *Ledger) Append(e *Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	l.entries++
	e.Number = l.entries
	l.buf = append(appendEntry(l.buf, e), '\n')
	switch {
	case len(l.buf) >= flushSize:
		l.flush()
	case !l.armed:
		l.armed = true
		l.flusher.Reset(flushAfter)
	}
	return l.err
}

// Close writes what is left and closes the file. It returns the ledger's first
// error, also if Append has returned that before.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	l.flusher.Stop()
	l.flush()
	err := l.err
	if closing := l.file.Close(); err == nil && closing != nil {
		err = fmt.Errorf("ledger %s: %w", l.path, closing)
	}
	l.file = nil
	if l.err == nil {
		l.err = fmt.Errorf("ledger %s: %w", l.path, errClosed)
	}
	return err
}

// Flush hands everything appended so far to the file, so that it can be read
// while the ledger goes on. It returns the ledger's first error.
func (l *Ledger) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	return l.err
}

func (l *Ledger) flushDirty() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	l.flush()
}

// flush hands whole lines to the file; l.mu is held. After a failed write
// nothing more is written: half a line must stay the last one.
func (l *Ledger) flush() {
	if l.err != nil || len(l.buf) == 0 {
		return
	}
	if _, err := l.file.Write(l.buf); err != nil {
		l.err = fmt.Errorf("ledger %s: %d entries so far, the last of them not on disk: %w", l.path, l.entries, err)
	}
	l.buf = l.buf[:0]
}
