package oracle

import (
	"maps"
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
)

// judgeNamesCallers wants the caller's name on every call that the limiter
// counts. A call that it books on nobody is lost to whoever bills by name; it is
// not a call that was not made (cases.md M05, G8).
func judgeNamesCallers(t *trial) reports.Finding {
	m, why := t.limiterMoved()
	if why != "" {
		return doubt("%s", why)
	}
	switch {
	case m.lost > 0 && t.q.Alone:
		return blame(cause{reports.Limiter, "", "every caller had a name, and the limiter booked calls without one"}, nil,
			"of %s the limiter booked %s on nobody: they are lost, not 0", count(m.hits.limitable(), "hit"), count(m.lost, "call"))
	case m.lost > 0:
		return doubt("the limiter booked %s on nobody, but others ran beside", count(m.lost, "call"))
	case m.Authorized+m.Limited == 0:
		return doubt("no hit of the subject was counted, so no label was seen")
	case t.q.After.Limiter.Users == nil:
		return doubt("the limiter's metrics name no caller at all")
	}
	return pass()
}

// judgeNamesLimit wants limited_calls to name the limit that denied: one of the
// caller's, and the only one where one applies (cases.md M06).
func judgeNamesLimit(t *trial) reports.Finding {
	m, why := t.limiterMoved()
	if why != "" {
		return doubt("%s", why)
	}
	before, after := t.q.Before.Limiter.Refusals, t.q.After.Limiter.Refusals
	if after == nil {
		return doubt("the limiter's metrics name no limit, so which one denied is not told")
	}
	var own []string
	for _, l := range t.limits {
		own = append(own, l.Name)
	}
	user, named := t.q.Subject.Name, int64(0)
	for _, name := range slices.Sorted(maps.Keys(after[user])) {
		moved := after[user][name] - before[user][name]
		switch {
		case moved == 0:
			continue
		case name == "":
			return blame(cause{reports.Limiter, "", "other calls bear a limit's name"}, nil, "limited_calls +%d without the name of a limit", moved)
		case !slices.Contains(own, name):
			return blame(cause{reports.Limiter, "", "the caller has no limit of that name"}, nil,
				"limited_calls +%d name the limit %.80q; the caller's are %.200q", moved, name, own)
		}
		named += moved
	}
	switch {
	case m.hits.denied == 0:
		return doubt("no hit was denied, so no limit was named")
	case named < int64(m.hits.denied):
		return blame(cause{reports.Limiter, "", "the limiter's counters tell another story than its answers"}, nil,
			"limited_calls name a limit %d times for %s", named, count(m.hits.denied, "denial"))
	}
	return pass()
}
