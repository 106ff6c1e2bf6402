package evidence

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	headerLine = `{"apiVersion":"floodgate/v1","case":"B02","began":"2026-01-02T03:04:05Z"}`
	entryLine  = `{"hit":"h","attack":"a","seq":0,"due":0,"sent":1,"received":2,"outcome":"admitted","status":200}`
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "B02.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadSaysWhatIsWrongAndWhere(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		entries    int
		// want is part of the error, "" for none; the line stands before it.
		want      string
		truncated bool
	}{
		{name: "header only", text: headerLine + "\n"},
		{name: "whole", text: headerLine + "\n" + entryLine + "\n" + entryLine + "\n", entries: 2},
		{name: "long line", text: headerLine + "\n" + strings.Replace(entryLine, `"h"`, `"`+strings.Repeat("h", 3*flushSize)+`"`, 1) + "\n", entries: 1},
		{name: "nothing", text: "", want: "B02.jsonl:0: ", truncated: true},
		{name: "cut header", text: headerLine[:20], want: "B02.jsonl:1: ", truncated: true},
		{name: "cut entry", text: headerLine + "\n" + entryLine + "\n" + entryLine[:30], entries: 1, want: "B02.jsonl:3: ", truncated: true},
		{name: "cut before the line's end", text: headerLine + "\n" + entryLine, want: "B02.jsonl:2: ", truncated: true},
		{name: "other version", text: `{"apiVersion":"floodgate/v9"}` + "\n", want: `B02.jsonl:1: apiVersion "floodgate/v9"`},
		{name: "no ledger", text: "PASS 22 cases\n", want: "B02.jsonl:1: the header: "},
		{name: "garbled entry", text: headerLine + "\n" + entryLine + "\n}{\n" + entryLine + "\n", entries: 1, want: "B02.jsonl:3: "},
		{name: "empty line", text: headerLine + "\n\n", want: "B02.jsonl:2: "},
		{name: "unknown outcome", text: headerLine + "\n" + strings.Replace(entryLine, "admitted", "passed", 1) + "\n", want: `B02.jsonl:2: outcome "passed"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, tc.text)
			_, entries, err := Read(path)
			if len(entries) != tc.entries {
				t.Errorf("%d entries, want %d", len(entries), tc.entries)
			}
			if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if errors.Is(err, ErrTruncated) != tc.truncated {
				t.Errorf("error %v, truncated %v", err, tc.truncated)
			}

			var scanned int
			var last error
			for e, err := range Scan(path) {
				if last = err; err == nil {
					scanned++
					if e.Number != scanned {
						t.Errorf("entry %d has number %d", scanned, e.Number)
					}
				}
			}
			if scanned != tc.entries || (last != nil) != (err != nil) {
				t.Errorf("Scan yields %d entries and %v", scanned, last)
			}
		})
	}
}

func TestReadOfNoFile(t *testing.T) {
	if _, _, err := Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestScanStopsWhenItsCallerDoes(t *testing.T) {
	path := write(t, headerLine+"\n"+strings.Repeat(entryLine+"\n", 5)+"}{\n")
	seen := 0
	for _, err := range Scan(path) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("%d entries seen", seen)
	}
}
