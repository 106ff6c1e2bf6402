package evidence

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Whatever a ledger's file holds, reading it ends; what it does read is written
// and read again as the same.
func FuzzRead(f *testing.F) {
	const header = `{"apiVersion":"floodgate/v1","case":"B02","began":"2026-11-22T21:00:00Z"}` + "\n"
	f.Add([]byte(header))
	f.Add([]byte(header + `{"hit":"B02.a.0","attack":"a","seq":0,"identity":"premium/alice","due":0,"sent":1,"received":2,"outcome":"admitted","status":200,"from":"backend"}` + "\n"))
	f.Add([]byte(header + `{"hit":"B02.a.0","answer":{"header":{"X":["1",""]},"body":"\u0000"},"error":"read: reset"}` + "\n{\"hit\":"))
	f.Add([]byte("{}\nnull\n[]\n"))
	f.Add([]byte(header[:20]))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "ledger.jsonl")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, entries, err := Read(path)
		scanned := 0
		for _, scanErr := range Scan(path) {
			if scanErr == nil {
				scanned++
			}
		}
		if scanned != len(entries) {
			t.Errorf("%d entries read, %d scanned", len(entries), scanned)
		}
		if err != nil && !errors.Is(err, ErrTruncated) {
			return
		}
		again := filepath.Join(dir, "again.jsonl")
		lines := []byte(`{"apiVersion":"` + ledgerVersion + `","case":"x","began":"2026-11-22T21:00:00Z"}` + "\n")
		for i := range entries {
			lines = append(appendEntry(lines, &entries[i]), '\n')
		}
		if err := os.WriteFile(again, lines, 0o600); err != nil {
			t.Fatal(err)
		}
		_, reread, err := Read(again)
		if err != nil || len(reread) != len(entries) {
			t.Fatalf("%d entries, written again: %d, %v", len(entries), len(reread), err)
		}
		for i := range entries {
			if first, second := appendEntry(nil, &entries[i]), appendEntry(nil, &reread[i]); !slices.Equal(first, second) {
				t.Errorf("%s became %s", first, second)
			}
		}
	})
}
