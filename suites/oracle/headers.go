package oracle

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// The rate-limit headers of DRAFT_VERSION_03 (sut.md 2.6).
const (
	limitHeader     = "X-RateLimit-Limit"
	remainingHeader = "X-RateLimit-Remaining"
	resetHeader     = "X-RateLimit-Reset"
)

// told is one kept answer with what its headers should say.
type told struct {
	entry *evidence.Entry
	hit   hit
	// first is true for the hit that opened its window.
	first bool
	// remaining is the least that any limit has left after the hit; scarce are
	// the limits that have no more than that.
	remaining int64
	scarce    []tier.Limit
	// shortest and longest bound the rest of the scarce limits' windows.
	shortest, longest time.Duration
}

// tellings are the kept answers whose place in the windows is certain.
func (t *trial) tellings() (found []told) {
	for _, i := range t.mine {
		e := &t.entries[i]
		if e.Answer == nil || e.Outcome != evidence.Admitted && e.Outcome != evidence.Denied {
			continue
		}
		if one, ok := t.telling(e, hit{sent: e.Sent, received: e.Received, number: i + 1}); ok {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b told) int { return bySent(a.hit, b.hit) })
	return found
}

func (t *trial) telling(e *evidence.Entry, h hit) (told, bool) {
	one := told{entry: e, hit: h, remaining: math.MaxInt64}
	for i, limit := range t.limits {
		if t.neverScarcest(limit) {
			continue
		}
		windows := t.line(i, false).windows
		n := slices.IndexFunc(windows, func(w window) bool { return h.sent >= w.from && h.received < w.ends })
		if n < 0 {
			return told{}, false
		}
		w := windows[n]
		used := int64(0)
		for _, p := range t.passed {
			if p.sent >= w.from && p.sent <= h.sent {
				used++
			}
		}
		left := limit.Quota - used
		if left < one.remaining {
			one.remaining, one.scarce = left, nil
			one.shortest, one.longest = w.ends-h.received, w.until-h.sent
		}
		if left == one.remaining {
			one.scarce = append(one.scarce, limit)
			one.shortest, one.longest = min(one.shortest, w.ends-h.received), max(one.longest, w.until-h.sent)
		}
		one.first = one.first || used == 1 && e.Outcome == evidence.Admitted
	}
	one.remaining = max(0, one.remaining)
	return one, true
}

// neverScarcest tells whether a limit of everybody's had more left all the time than
// a limit of the subject's own ever has, however much of it others used.
func (t *trial) neverScarcest(limit tier.Limit) bool {
	own, has := tier.Binding(slices.DeleteFunc(slices.Clone(t.limits), t.sharedLimit))
	return has && t.outOfReach(limit, own.Quota)
}

func judgeRemainingTold(t *trial) reports.Finding {
	return t.judgeTold("remaining", func(one told) string {
		if reason := wrongLimits(one, t.limits); reason != "" {
			return reason
		}
		value, reason := one.number(remainingHeader)
		if reason == "" && value != one.remaining {
			reason = fmt.Sprintf("says %s: %d where %d are left", remainingHeader, value, one.remaining)
		}
		return reason
	}, func(told) bool { return true })
}

func judgeResetTold(t *trial) reports.Finding {
	// A floor and the limiter's own reading of the clock make a second's
	// difference (cases.md H03).
	least := func(one told) int64 { return int64(math.Floor(one.shortest.Seconds())) - 1 }
	lies, zeros := 0, 0
	f := t.judgeTold("reset", func(one told) string {
		value, reason := one.number(resetHeader)
		most := int64(math.Ceil(one.longest.Seconds())) + 1
		if reason == "" && value >= least(one) && value <= most {
			return ""
		}
		lies++
		switch {
		case reason != "":
			return reason
		case value == 0 && one.first:
			zeros++
			return fmt.Sprintf("says %s: 0 on the first hit of a window that lasts %s more: a client is told to retry at once, as Limitador 2.4 with memory storage is known to do", resetHeader, at(one.longest))
		}
		return fmt.Sprintf("says %s: %d where the window lasts %s to %s more", resetHeader, value, at(one.shortest), at(one.longest))
	}, func(one told) bool { return least(one) > 0 })
	if f.Verdict == reports.Fail && lies == zeros {
		return t.known(f, weakness.ResetHeaderZero)
	}
	return f
}

// judgeTold judges every answer; telling says which of them could have shown a
// lie at all.
func (t *trial) judgeTold(what string, wrongly func(told) string, telling func(told) bool) reports.Finding {
	judged, wrong, said := 0, []int(nil), ""
	tellings := t.tellings()
	for _, one := range tellings {
		if telling(one) {
			judged++
		}
		if reason := wrongly(one); reason != "" {
			wrong = append(wrong, one.hit.number)
			if said == "" {
				said = fmt.Sprintf("entry %d %s", one.hit.number, reason)
			}
		}
	}
	switch {
	case len(wrong) > 0:
		return blame(cause{reports.Limiter, said, "the limiter writes these headers, and the gateway passes them on"}, wrong,
			"%d of %s lie about the %s", len(wrong), count(len(tellings), "answer"), what)
	case judged == 0:
		return t.untold(what, len(tellings))
	}
	return pass()
}

// untold says why no answer told of the limits; placed is how many are certain of
// their place in a window.
func (t *trial) untold(what string, placed int) reports.Finding {
	kept := len(t.having(func(e *evidence.Entry) bool { return e.Answer != nil }))
	contested := func(l tier.Limit) bool { return t.sharedLimit(l) && !t.neverScarcest(l) }
	switch {
	case kept == 0:
		return doubt("no answer was kept that could have lied about the %s", what)
	case placed > 0:
		return doubt("the windows are too short for a header of whole seconds to lie about the %s in %s", what, count(placed, "answer"))
	case slices.ContainsFunc(t.limits, contested):
		return doubt("%s kept, but others draw on the same counter, so the %s that they should tell is not known", count(kept, "answer"), what)
	}
	return doubt("%s kept, of which none has a place in a window that leaves no doubt about the %s", count(kept, "answer"), what)
}

// number reads a header that must be there once, as a plain number.
func (one told) number(name string) (value int64, wrong string) {
	values, ok := header(one.entry.Answer.Header, name)
	if !ok {
		return 0, "has no header " + name
	}
	value, err := strconv.ParseInt(values[0], 10, 64)
	if len(values) > 1 || err != nil || value < 0 {
		return 0, fmt.Sprintf("has %s: %.100q, want one number", name, values)
	}
	return value, ""
}

// wrongLimits judges X-RateLimit-Limit: first the quota of a scarce limit,
// then every limit with its window.
func wrongLimits(one told, limits []tier.Limit) string {
	values, ok := header(one.entry.Answer.Header, limitHeader)
	if !ok {
		return "has no header " + limitHeader
	}
	if len(values) > 1 {
		return fmt.Sprintf("has %s %d times", limitHeader, len(values))
	}
	binding, rest, _ := strings.Cut(values[0], ",")
	if !slices.ContainsFunc(one.scarce, func(l tier.Limit) bool { return strconv.FormatInt(l.Quota, 10) == strings.TrimSpace(binding) }) {
		return fmt.Sprintf("begins %s with %.40q, want the quota of %s", limitHeader, binding, one.scarce[0])
	}
	var want, got []string
	for _, l := range limits {
		want = append(want, fmt.Sprintf("%d;w=%d", l.Quota, l.Window/time.Second))
	}
	for item := range strings.SplitSeq(rest, ",") {
		quota, parameters, _ := strings.Cut(strings.TrimSpace(item), ";")
		window, _, _ := strings.Cut(parameters, ";")
		got = append(got, quota+";"+window)
	}
	if !sameSet(want, got) {
		return fmt.Sprintf("lists %s: %.200q, want %q", limitHeader, values[0], want)
	}
	return ""
}
