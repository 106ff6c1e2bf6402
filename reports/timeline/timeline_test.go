package timeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/reports/timeline"
)

const ms = time.Millisecond

// hit is answered one millisecond after it was sent.
func hit(identity string, sent time.Duration, outcome evidence.Outcome) evidence.Entry {
	return evidence.Entry{Identity: identity, Sent: sent, Received: sent + ms, Outcome: outcome}
}

// run leaves a folder with one ledger of the entries, and a record of case B01
// on tier gold, which admits 2 hits in 10 ms.
func run(t *testing.T, entries []evidence.Entry, findings ...reports.Finding) (string, *reports.Record) {
	t.Helper()
	dir := t.TempDir()
	ledger, err := evidence.Create(filepath.Join(dir, "ledger", "B01.jsonl"), evidence.Header{Case: "B01"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		if err := ledger.Append(&entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, &reports.Record{
		Tiers: []tier.Tier{{Name: "gold", Limits: []tier.Limit{{Quota: 2, Unit: tier.Hits, Window: 10 * ms}}}},
		Cases: []reports.Case{{ID: "B01", Verdict: reports.Pass, Findings: findings, Evidence: []string{"ledger/B01.jsonl"}}},
	}
}

var plenty = timeline.Budget{Strips: 10, Dots: 1000}

func TestWindowsAndRunningCount(t *testing.T) {
	dir, r := run(t, []evidence.Entry{
		hit("gold/a", 5*ms, evidence.Admitted),
		hit("gold/a", 7*ms, evidence.Admitted),
		hit("gold/a", 9*ms, evidence.Denied),
		hit("gold/a", 15*ms, evidence.Admitted),
		hit("gold/a", 40*ms, evidence.Lost),
	})
	lines := timeline.Read(dir, r, plenty)
	if len(lines.Strips) != 1 || len(lines.Unread) != 0 {
		t.Fatalf("%d strips, unread %v; want one strip", len(lines.Strips), lines.Unread)
	}
	strip := lines.Strips[0]
	wantWindows := []timeline.Window{{Open: 5 * ms, Close: 15 * ms, Admitted: 2}, {Open: 15 * ms, Close: 25 * ms, Admitted: 1}}
	if diff := cmp.Diff(wantWindows, strip.Windows); diff != "" {
		t.Error(diff)
	}
	wantSteps := []timeline.Step{{6 * ms, 1}, {8 * ms, 2}, {15 * ms, 0}, {16 * ms, 1}, {25 * ms, 0}}
	if diff := cmp.Diff(wantSteps, strip.Steps); diff != "" {
		t.Error(diff)
	}
	wantCounts := map[evidence.Outcome]int{evidence.Admitted: 3, evidence.Denied: 1, evidence.Lost: 1}
	if diff := cmp.Diff(wantCounts, strip.Counts); diff != "" {
		t.Error(diff)
	}
	if strip.Hits != 5 || len(strip.Dots) != 5 || strip.From != 5*ms || strip.To != 41*ms {
		t.Errorf("got %d hits, %d dots, %v to %v", strip.Hits, len(strip.Dots), strip.From, strip.To)
	}
	if strip.Dots[3].Entry != 4 {
		t.Errorf("the fourth dot is entry %d, want 4: numbers must be those that findings give", strip.Dots[3].Entry)
	}
}

func TestAnOverrunIsDrawn(t *testing.T) {
	dir, r := run(t, []evidence.Entry{
		hit("gold/a", 0, evidence.Admitted), hit("gold/a", 2*ms, evidence.Admitted), hit("gold/a", 4*ms, evidence.Admitted),
	}, reports.Finding{Verdict: reports.Fail, Subject: "gold/a", Evidence: reports.Evidence{Ledger: "ledger/B01.jsonl", Entries: []int{3}}})
	strip := timeline.Read(dir, r, plenty).Strips[0]
	if strip.Windows[0].Admitted != 3 || strip.Verdict != reports.Fail {
		t.Errorf("got %+v, verdict %v; want 3 admitted in one window, fail", strip.Windows, strip.Verdict)
	}
	for _, dot := range strip.Dots {
		if dot.Decided != (dot.Entry == 3) {
			t.Errorf("entry %d decided: %v", dot.Entry, dot.Decided)
		}
	}
}

func TestAnswersOutOfOrderAreDrawnInTheirOrder(t *testing.T) {
	dir, r := run(t, []evidence.Entry{
		hit("gold/a", 30*ms, evidence.Admitted), hit("gold/b", 1*ms, evidence.Admitted), hit("gold/a", 3*ms, evidence.Admitted),
	})
	strips := timeline.Read(dir, r, plenty).Strips
	if len(strips) != 2 || strips[0].Identity != "gold/a" || strips[1].Identity != "gold/b" {
		t.Fatalf("got %+v, want a strip for each identity by its first entry", strips)
	}
	if a := strips[0]; a.Dots[0].Entry != 3 || a.Dots[1].Entry != 1 || len(a.Windows) != 2 {
		t.Errorf("got dots %+v in windows %+v", a.Dots, a.Windows)
	}
}

func TestALongLedgerIsThinnedAndKeepsWhatDecided(t *testing.T) {
	const hits, overrun, decided = 30_000, 20_000, 12_345
	entries := make([]evidence.Entry, hits)
	for i := range entries {
		outcome := evidence.Denied
		if i < 2 || i == overrun {
			outcome = evidence.Admitted
		}
		entries[i] = hit("gold/a", time.Duration(i)*100*time.Nanosecond, outcome)
	}
	dir, r := run(t, entries, reports.Finding{
		Verdict: reports.Inconclusive, Subject: "gold/a", Limit: "2 hits / 1h0m0s",
		Evidence: reports.Evidence{Ledger: "ledger/B01.jsonl", Entries: []int{decided}},
	})
	strip := timeline.Read(dir, r, timeline.Budget{Strips: 10, Dots: 300}).Strips[0]
	if strip.Hits != hits || len(strip.Dots) > 301 || len(strip.Dots) < 50 {
		t.Errorf("%d dots of %d hits, want some up to 301", len(strip.Dots), strip.Hits)
	}
	if strip.Limit == nil || strip.Limit.Window != time.Hour {
		t.Errorf("limit %+v, want the finding's of one hour", strip.Limit)
	}
	kept := map[int]bool{}
	for _, dot := range strip.Dots {
		kept[dot.Entry] = true
	}
	if !kept[decided] || !kept[overrun+1] {
		t.Errorf("entry %d (decided): %v, entry %d (overrun): %v; want both drawn", decided, kept[decided], overrun+1, kept[overrun+1])
	}
	if len(strip.Steps) > 301 || strip.Steps[len(strip.Steps)-1].Count != 3 {
		t.Errorf("%d steps, the last %+v; want few that end at 3", len(strip.Steps), strip.Steps[len(strip.Steps)-1])
	}
}

func TestTheBudgetKeepsTheWorst(t *testing.T) {
	var entries []evidence.Entry
	for i := range 20 {
		entries = append(entries, hit(fmt.Sprintf("gold/%02d", i), time.Duration(i)*ms, evidence.Admitted))
	}
	dir, r := run(t, entries,
		reports.Finding{Verdict: reports.Inconclusive, Subject: "gold/07"}, reports.Finding{Verdict: reports.Fail, Subject: "gold/19"})
	lines := timeline.Read(dir, r, timeline.Budget{Strips: 3, Dots: 100})
	var kept []string
	for _, strip := range lines.Strips {
		kept = append(kept, strip.Identity)
	}
	if diff := cmp.Diff([]string{"gold/00", "gold/07", "gold/19"}, kept); diff != "" || lines.LeftOut != 17 {
		t.Errorf("left out %d, kept:\n%s", lines.LeftOut, diff)
	}
}

func TestTheLimitOfAnotherVariantIsNotThePolicys(t *testing.T) {
	entries := []evidence.Entry{hit("gold/a", 0, evidence.Admitted)}
	for name, test := range map[string]struct {
		variant, limit string
		want           int64
	}{
		"policy":              {"policy", "", 2},
		"no variant":          {"", "", 2},
		"the finding's":       {"twin", "5 hits / 3s", 5},
		"twin without a word": {"twin", "", 0},
		"tokens":              {"twin", "5 tokens / 3s", 0},
		"nonsense":            {"twin", "5 hits / -3s", 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir, r := run(t, entries, reports.Finding{Verdict: reports.Pass, Subject: "gold/a", Limit: test.limit})
			r.Cases[0].Variant = test.variant
			strip := timeline.Read(dir, r, plenty).Strips[0]
			var got int64
			if strip.Limit != nil {
				got = strip.Limit.Quota
			}
			if got != test.want || (got == 0) != (len(strip.Windows) == 0) {
				t.Errorf("quota %d with %d windows, want %d", got, len(strip.Windows), test.want)
			}
		})
	}
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	dir, r := run(t, []evidence.Entry{hit("gold/a", 0, evidence.Admitted), hit("gold/a", ms, evidence.Admitted)})
	path := filepath.Join(dir, "ledger", "B01.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-9], 0o644); err != nil {
		t.Fatal(err)
	}
	r.Cases[0].Evidence = append(r.Cases[0].Evidence, "ledger/gone.jsonl", "../outside.jsonl", "/etc/passwd.jsonl", "logs/gateway.log")
	lines := timeline.Read(dir, r, plenty)
	if len(lines.Strips) != 1 || lines.Strips[0].Hits != 1 {
		t.Errorf("got %+v, want the entry before the cut", lines.Strips)
	}
	if len(lines.Unread) != 4 {
		t.Fatalf("unread %q, want four", lines.Unread)
	}
	for i, part := range []string{"B01.jsonl:3", "gone.jsonl", "outside", "passwd"} {
		if !strings.Contains(lines.Unread[i], part) || strings.Contains(lines.Unread[i], dir) {
			t.Errorf("%q, want it to name %q and not the folder", lines.Unread[i], part)
		}
	}
}
