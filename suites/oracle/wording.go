package oracle

import (
	"fmt"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// mostEntries is how many entries a finding points at (reports.Evidence).
const mostEntries = 20

func pass() reports.Finding { return reports.Finding{Verdict: reports.Pass} }

// passSaying passes with a remark on what the verdict rests on.
func passSaying(format string, args ...any) reports.Finding {
	return reports.Finding{Verdict: reports.Pass, Reason: fmt.Sprintf(format, args...)}
}

func doubt(format string, args ...any) reports.Finding {
	return reports.Finding{Verdict: reports.Inconclusive, Reason: fmt.Sprintf(format, args...)}
}

// blame fails a rule: the cause says whose fault it is, in the reason as a
// clause with numbers and in the attribution as the conclusion from them.
func blame(c cause, hits []int, format string, args ...any) reports.Finding {
	f := reports.Finding{
		Verdict: reports.Fail, Reason: fmt.Sprintf(format, args...),
		Component: c.component, Attribution: c.conclusion,
	}
	if c.clause != "" {
		f.Reason += "; " + c.clause
	}
	f.Evidence.Entries = first(hits)
	return f
}

// first copies the numbers that a finding shows.
func first(numbers []int) []int {
	return append([]int(nil), numbers[:min(len(numbers), mostEntries)]...)
}

// at shows a moment of the ledger's clock, or a length of time, as precisely
// as a reader can use it.
func at(d time.Duration) time.Duration {
	if d.Abs() < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// count is "1 hit", "2 hits".
func count[N int | int64](n N, noun string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// hitsWere is "1 hit was", "2 hits were".
func hitsWere(n int) string {
	if n == 1 {
		return "1 hit was"
	}
	return count(n, "hit") + " were"
}

// firstAt is when the only one, or the first of several, was.
func firstAt(n int, d time.Duration) string {
	if n == 1 {
		return fmt.Sprintf("at %s", at(d))
	}
	return fmt.Sprintf("the first at %s", at(d))
}
