package render

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/junit"
)

// Whatever a record says, loading it ends with an error, or with a record that
// every report can be drawn from.
func FuzzRecord(f *testing.F) {
	records, err := filepath.Glob("../testdata/runs/*/record.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range records {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(content) < 64<<10 {
			f.Add(content)
		}
	}
	f.Add([]byte(`{"apiVersion":"floodgate/v1","verdict":"fail","cases":[{"id":"B02","verdict":"fail","findings":[{"rule":"no-overrun","verdict":"fail","evidence":{"ledger":"../../etc","entries":[-1,0]}}]}]}`))
	f.Add([]byte(`{"apiVersion":"floodgate/v1","tiers":[{"name":"a","limits":[{"quota":-1,"window":-1}]}],"identities":[{"name":"\u0000","sent":-1}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, reports.RecordFile)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := reports.Load(path); err != nil {
			return
		}
		if err := Folder(dir, junit.Options{}); err != nil {
			t.Errorf("a record that loads cannot be drawn: %v", err)
		}
	})
}
