package oracle

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

const retryAfter = "Retry-After"

// judgeRetryAfterHonest judges when denials tell their caller to come back. None
// of Kuadrant's does, which is told and is no fail (cases.md H07, G7); one that
// does must not send its caller away for too short a time.
func judgeRetryAfterHonest(t *trial) reports.Finding {
	kept, telling, wrong, said := 0, 0, []int(nil), ""
	for _, i := range t.mine {
		e := &t.entries[i]
		if e.Answer == nil || e.Outcome != evidence.Denied {
			continue
		}
		kept++
		values, ok := header(e.Answer.Header, retryAfter)
		if !ok {
			continue
		}
		telling++
		if reason := t.tooSoon(hit{sent: e.Sent, received: e.Received, number: i + 1}, values); reason != "" {
			wrong = append(wrong, i+1)
			if said == "" {
				said = fmt.Sprintf("entry %d %s", i+1, reason)
			}
		}
	}
	switch {
	case kept == 0:
		return doubt("no denial was kept whose form could be judged")
	case len(wrong) > 0:
		return blame(cause{reports.Gateway, said, "the gateway gives a denial its form"}, wrong, "%d of %s tell a caller to come back when it is denied again",
			len(wrong), count(telling, "denial"))
	case telling == 0:
		return passSaying("none of %s has %s: callers are not told when to come back", count(kept, "denial"), retryAfter)
	}
	return passSaying("%d of %s tell when to come back", telling, count(kept, "denial"))
}

// tooSoon is what is wrong with a Retry-After: no time at all, or one before
// every window that can have denied the hit certainly ends.
func (t *trial) tooSoon(h hit, values []string) string {
	if len(values) > 1 {
		return fmt.Sprintf("has %s %d times", retryAfter, len(values))
	}
	seconds, err := strconv.ParseInt(values[0], 10, 64)
	if date, dateErr := time.Parse(time.RFC1123, values[0]); err != nil && dateErr == nil {
		seconds, err = int64(math.Ceil(date.Sub(t.q.Began.Add(h.received)).Seconds())), nil
	}
	if err != nil || seconds < 0 {
		return fmt.Sprintf("has %s: %.40q, want seconds or a date", retryAfter, values[0])
	}
	least := time.Duration(-1)
	for i := range t.limits {
		for _, w := range t.line(i, false).windows {
			if h.sent >= w.from && h.received < w.ends && w.full != never {
				if rest := w.ends - h.received; least < 0 || rest < least {
					least = rest
				}
			}
		}
	}
	if floor := int64(least / time.Second); least >= 0 && seconds < floor {
		return fmt.Sprintf("says %s: %d where the window lasts %s more", retryAfter, seconds, at(least))
	}
	return ""
}
