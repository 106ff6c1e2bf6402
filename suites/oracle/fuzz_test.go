package oracle

import (
	"encoding/json"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Whatever question and entries a run's folder holds, judging them ends with a
// finding for each rule, and one that is no pass says why.
func FuzzJudge(f *testing.F) {
	for _, model := range WindowModels() {
		for _, o := range overloads() {
			q, entries := o.evidence(40)
			q.Model = model
			question, err := json.Marshal(q)
			if err != nil {
				f.Fatal(err)
			}
			lines, err := json.Marshal(entries)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(question, lines)
		}
	}
	f.Add([]byte(`{"model":"epoch","began":"2026-11-22T21:00:00Z","subject":{"limits":[{"quota":-1,"unit":"hits","window":-1},{"quota":1,"unit":"hits","window":1}]},"want":{"edit":{},"change":{}}}`),
		[]byte(`[{"hit":"a","sent":9223372036854775807,"received":9223372036854775807,"outcome":"admitted"}]`))
	f.Fuzz(func(t *testing.T, question, lines []byte) {
		var q Question
		var entries []evidence.Entry
		if json.Unmarshal(question, &q) != nil || json.Unmarshal(lines, &entries) != nil {
			return
		}
		q.Rules = nil
		for _, r := range All() {
			q.Rules = append(q.Rules, r.Name)
		}
		findings := Judge(q, entries)
		if len(findings) != len(q.Rules)+1 {
			t.Errorf("%d findings for %d rules", len(findings), len(q.Rules))
		}
		for _, f := range findings {
			if f.Verdict != reports.Pass && f.Reason == "" {
				t.Errorf("%s is %s without a reason", f.Rule, f.Verdict)
			}
		}
	})
}
