package evidence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// ErrTruncated says that a ledger's last line was cut, as a killed run or a
// full disk leaves it. The entries before it are whole.
var ErrTruncated = errors.New("the last line is cut off: the run was killed or its disk was full")

// Read reads a whole ledger. Errors name the file and the line; with
// ErrTruncated the entries before the cut are returned too.
func Read(path string) (Header, []Entry, error) {
	var entries []Entry
	header, err := read(path, func(e Entry) bool {
		entries = append(entries, e)
		return true
	})
	return header, entries, err
}

// Scan yields a ledger's entries in the order of their lines without holding
// them. An error ends it and is yielded with a zero entry, ErrTruncated too.
func Scan(path string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		_, err := read(path, func(e Entry) bool { return yield(e, nil) })
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

// read calls each with one entry after the other until that returns false.
func read(path string, each func(Entry) bool) (header Header, err error) {
	file, err := os.Open(path)
	if err != nil {
		return header, fmt.Errorf("ledger: %w", err)
	}
	defer file.Close()

	lines := lineReader{from: bufio.NewReaderSize(file, flushSize)}
	line, err := lines.next()
	if errors.Is(err, io.EOF) {
		err = ErrTruncated
	}
	if err == nil {
		err = decodeHeader(line, &header)
	}
	for err == nil {
		if line, err = lines.next(); err != nil {
			break
		}
		entry := Entry{Number: lines.number - 1}
		if err = decodeEntry(line, &entry); err == nil && !each(entry) {
			return header, nil
		}
	}
	if errors.Is(err, io.EOF) {
		return header, nil
	}
	return header, fmt.Errorf("ledger %s:%d: %w", path, lines.number, err)
}

// lineReader counts the lines that it reads.
type lineReader struct {
	from   *bufio.Reader
	number int
}

// next is the next line without its end: io.EOF after the last one,
// ErrTruncated for a line that has no end. It is valid until the next call.
func (r *lineReader) next() ([]byte, error) {
	line, err := r.from.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		head := append([]byte(nil), line...)
		line, err = r.from.ReadBytes('\n')
		line = append(head, line...)
	}
	if len(line) > 0 || err == nil {
		r.number++
	}
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case errors.Is(err, io.EOF) && len(line) > 0:
		return nil, ErrTruncated
	default:
		return nil, err
	}
}

func decodeHeader(line []byte, h *Header) error {
	if err := json.Unmarshal(line, h); err != nil {
		return fmt.Errorf("the header: %w", err)
	}
	if h.APIVersion != ledgerVersion {
		return fmt.Errorf("apiVersion %q: this is no ledger that this version reads, want %q", h.APIVersion, ledgerVersion)
	}
	return nil
}

func decodeEntry(line []byte, e *Entry) error {
	if err := json.Unmarshal(line, e); err != nil {
		return err
	}
	switch e.Outcome {
	case Admitted, Denied, Refused, Failed, Lost:
		return nil
	default:
		return fmt.Errorf("outcome %q: want %s, %s, %s, %s or %s", e.Outcome, Admitted, Denied, Refused, Failed, Lost)
	}
}
