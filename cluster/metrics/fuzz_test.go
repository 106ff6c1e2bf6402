package metrics

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a page says, reading it ends with counts or with an error.
func FuzzPages(f *testing.F) {
	pages, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(pages) == 0 {
		f.Fatal("no pages to begin with", err)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("authorized_calls{user=\"a\"} 9007199254740993\nlimitador_up 1\n"))
	f.Add([]byte("kuadrant_hits{} 1 99999999999999999999\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if sum, err := ParseLimiter(text, ""); err == nil {
			for name, calls := range sum.Users {
				if calls.Authorized < 0 || calls.Limited < 0 || calls.Hits < 0 {
					t.Errorf("user %q has %+v", name, calls)
				}
			}
		}
		if counters, err := ParseGateway(text); err == nil && (counters.Hits < 0 || counters.Denied < 0 || counters.Errors < 0) {
			t.Errorf("gateway has %+v", counters)
		}
		if journal, err := decodeJournal(text); err == nil && journal.Served < 0 {
			t.Errorf("journal has %+v", journal)
		}
	})
}
