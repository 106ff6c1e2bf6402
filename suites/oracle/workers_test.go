package oracle

import (
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Hits of one worker that were fired one at a time overlap once their times are
// widened by what is not known of its clock; those of two workers may truly.
func TestAWorkersClockDoesNotBreakItsOrder(t *testing.T) {
	entry := func(worker string, sent, received, unsure time.Duration) evidence.Entry {
		return evidence.Entry{Attack: "a", Worker: worker, Unsure: unsure, Sent: sent - unsure, Received: received + unsure}
	}
	for name, tc := range map[string]struct {
		entries []evidence.Entry
		holds   bool
	}{
		"one after the other, widened":        {[]evidence.Entry{entry("w", 10, 20, 5), entry("w", 20, 30, 6)}, true},
		"side by side at one worker":          {[]evidence.Entry{entry("w", 10, 20, 5), entry("w", 19, 30, 6)}, false},
		"two workers, whose clocks may err":   {[]evidence.Entry{entry("w", 10, 20, 5), entry("v", 21, 30, 6)}, false},
		"two workers, far enough apart":       {[]evidence.Entry{entry("w", 10, 20, 5), entry("v", 31, 40, 6)}, true},
		"this process, whose clock is known":  {[]evidence.Entry{entry("", 10, 20, 0), entry("", 20, 30, 0)}, true},
		"this process, which fired too early": {[]evidence.Entry{entry("", 10, 20, 0), entry("", 19, 30, 0)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			tr := &trial{q: Question{Attacks: []Attack{{Name: "a", Planned: 2, OneAtATime: true}}}, entries: tc.entries, mine: []int{0, 1}}
			if broken := tr.orderBroken(); (broken == "") != tc.holds {
				t.Errorf("%q", broken)
			}
		})
	}
}
