package local

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// redacted stands where a key stood.
	redacted = "[redacted]"
	// shortestKey is the length below which a key is left alone: it would be
	// found in every other word.
	shortestKey = 4
	redactBlock = 64 << 10
)

// redactor takes keys out of what components write. The zero value knows none.
type redactor struct {
	// keys are the keys by their first bytes, the longest first.
	keys    map[[shortestKey]byte][]string
	longest int
}

// newRedactor knows keys as they are and in base64, as Secrets hold them.
func newRedactor(keys []string) *redactor {
	r := &redactor{keys: map[[shortestKey]byte][]string{}}
	for _, key := range keys {
		r.add(key)
		r.add(strings.TrimSpace(key))
		if utf8.RuneCountInString(key) >= shortestKey {
			r.add(base64.RawStdEncoding.EncodeToString([]byte(key)))
		}
	}
	for _, alike := range r.keys {
		slices.SortFunc(alike, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
	return r
}

func (r *redactor) add(key string) {
	if utf8.RuneCountInString(key) < shortestKey {
		return
	}
	start := [shortestKey]byte([]byte(key))
	if !slices.Contains(r.keys[start], key) {
		r.keys[start] = append(r.keys[start], key)
		r.longest = max(r.longest, len(key))
	}
}

// keyAt is the length of the longest key that text begins with, 0 for none.
func (r *redactor) keyAt(text []byte) int {
	if len(text) < shortestKey {
		return 0
	}
	for _, key := range r.keys[[shortestKey]byte(text)] {
		if len(key) <= len(text) && string(text[:len(key)]) == key {
			return len(key)
		}
	}
	return 0
}

// copy copies without the keys, and tells whether there were any.
func (r *redactor) copy(to io.Writer, from io.Reader) (found bool, err error) {
	buffer := make([]byte, 0, redactBlock+r.longest)
	for last := false; !last; {
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if last = errors.Is(err, io.EOF); err != nil && !last {
			return found, err
		}
		// A key that begins behind sure may not have been read to its end.
		sure := len(buffer)
		if !last {
			sure -= max(r.longest-1, 0)
		}
		at, written := 0, 0
		for at < sure {
			length := r.keyAt(buffer[at:])
			if length == 0 {
				at++
				continue
			}
			found = true
			if _, err := to.Write(buffer[written:at]); err != nil {
				return found, err
			}
			if _, err := io.WriteString(to, redacted); err != nil {
				return found, err
			}
			at += length
			written = at
		}
		if _, err := to.Write(buffer[written:at]); err != nil {
			return found, err
		}
		buffer = buffer[:copy(buffer, buffer[at:])]
	}
	return found, nil
}

// text is a text without the keys.
func (r *redactor) text(text string) string {
	var b strings.Builder
	// Neither reader nor writer can fail.
	_, _ = r.copy(&b, strings.NewReader(text))
	return b.String()
}

// file takes the keys out of a file; one without any is not touched.
func (r *redactor) file(path string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if found, err := r.copy(io.Discard, file); err != nil || !found {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	status, err := file.Stat()
	if err != nil {
		return err
	}
	without, err := os.CreateTemp(filepath.Dir(path), ".redacted-")
	if err != nil {
		return err
	}
	_, err = r.copy(without, file)
	if err = errors.Join(err, without.Chmod(status.Mode().Perm()), without.Close()); err == nil {
		err = os.Rename(without.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(without.Name()))
	}
	return nil
}

// redactLogs takes the keys that were in force out of the components' logs.
func redactLogs(logs, state string) error {
	r, err := redactorOf(state)
	if err != nil {
		return err
	}
	if r.longest == 0 {
		return nil
	}
	entries, err := os.ReadDir(logs)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		if err := r.file(filepath.Join(logs, entry.Name())); err != nil {
			errs = append(errs, fmt.Errorf("take keys out of %s: %w", entry.Name(), err))
		}
	}
	return errors.Join(errs...)
}
