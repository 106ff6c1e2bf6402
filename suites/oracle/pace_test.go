package oracle

import (
	"fmt"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// paced are hits every 200 ms under 2 hits / 1s: each window is opened 10 ms after
// the end of the one before.
func paced(windows int) (all []string) {
	for w := range windows {
		begin := w * 1010
		for i, kind := range "AADDD" {
			all = append(all, fmt.Sprintf("%c%d+1", kind, begin+i*200))
		}
	}
	return all
}

func TestKeepsPace(t *testing.T) {
	second := []tier.Limit{limitOf(2, sec)}
	changed := func(at int, hit string) []string {
		all := paced(12)
		all[at] = hit
		return all
	}
	for _, c := range []windowCase{
		{name: "each window its quota", limits: second, hits: paced(12), want: want{verdict: reports.Pass, reason: "12 windows in a row, whose first answers came 1.01s to 1.01s after one another, granted 24 hits"}},
		{name: "a hit too many", limits: second, hits: changed(32, "A6460+1"), want: want{reports.Fail, reports.Limiter, "window 7, opened at 6.06s, admitted 3 of 2 hits"}},
		{name: "an increment lost in the other direction", limits: second, hits: changed(31, "D6260+1"), want: want{reports.Fail, reports.Limiter, "denied too early"}},
		{name: "one slow hit", limits: second, hits: changed(34, "D6860+300"), edit: overlapped, want: want{verdict: reports.Pass, reason: "1 of 36 denials"}},
		{name: "too few windows", limits: second, hits: paced(5), want: want{reason: "5 windows in a row"}},
		{name: "a hit lost", limits: second, hits: changed(34, "L6860+1"), want: want{reason: "1 hit had no telling answer"}},
		{name: "never denied", limits: []tier.Limit{limitOf(1, sec)}, hits: []string{
			"A0+1", "A1100+1", "A2200+1", "A3300+1", "A4400+1", "A5500+1", "A6600+1", "A7700+1", "A8800+1", "A9900+1", "A11000+1",
		}, want: want{reason: "no hit was denied"}},
		{name: "a quota of 0", limits: []tier.Limit{limitOf(0, sec)}, hits: []string{"D0+1"}, want: want{reason: "a quota of 0"}},
	} {
		c.run(t, KeepsPace)
	}
	slow := paced(12)
	for i := 4; i < len(slow); i += 5 {
		slow[i] = fmt.Sprintf("D%d+300", i/5*1010+800)
	}
	windowCase{name: "slow at every end", limits: second, hits: slow, edit: overlapped, want: want{reason: "cannot be told"}}.run(t, KeepsPace)
}
