package oracle

import (
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// member is what one identity of a crowd has fired.
type member struct {
	identity               string
	passed, denied         []int
	unknown                int
	firstSent, lastArrived time.Duration
	// refused is how many of unknown the authorizer turned away.
	refused int
	// drew is the arrival of the last answer before firstSent to a hit that may have
	// opened a window and is not asked about, longAgo if there is none.
	drew time.Duration
}

// judgeOwnQuota counts, for each identity of a crowd, what was admitted in its
// first window: its quota and no more, however many others there are
// (cases.md I13). It looks at each entry once.
func judgeOwnQuota(t *trial) reports.Finding {
	if why := t.noCrowd(); why != "" {
		return doubt("%s", why)
	}
	limit, _ := tier.Binding(owned(t.limits))
	// What everybody draws on may deny at any time, and lets nobody in.
	ceiling := len(owned(t.limits)) < len(t.limits)
	crowd := t.members()
	untold, refused := 0, 0
	for _, m := range crowd {
		refused += m.refused
		passed, denied := int64(len(m.passed)), len(m.denied)
		within := m.lastArrived < m.firstSent+limit.Window-Edge(limit.Window) && m.drew < m.firstSent-limit.Window-Edge(limit.Window)
		switch {
		case !within:
			untold++
		case passed > limit.Quota:
			f := blame(t.alone(m.identity).overAdmission(), m.passed[limit.Quota:], "%d of %d hits of %s, one of %d identities, were admitted in its first window",
				passed, limit.Quota, m.identity, len(crowd))
			f.Limit = limit.String()
			return f
		case denied > 0 && passed+int64(m.unknown) < limit.Quota && !ceiling:
			f := blame(t.alone(m.identity).falseDenial(), m.denied, "%s, one of %d identities, was denied after %d of %d hits",
				m.identity, len(crowd), passed, limit.Quota)
			f.Limit = limit.String()
			return f
		case passed < limit.Quota || denied == 0:
			untold++
		}
	}
	if refused > 0 {
		return doubt("%s refused, without a telling answer of the limiter", hitsWere(refused))
	}
	if untold > 0 {
		return doubt("for %d of %d identities it was not seen that the quota of %d is used up: hits were lost, a window ended, or everybody's limit denied",
			untold, len(crowd), limit.Quota)
	}
	f := passSaying("each of %d identities was admitted its quota of %d and then denied", len(crowd), limit.Quota)
	f.Limit = limit.String()
	return f
}

// noCrowd is why the members of a crowd cannot be judged one by one.
func (t *trial) noCrowd() string {
	switch {
	case !t.q.Subject.Fresh:
		return notFresh
	case len(t.limits) < len(t.q.Subject.Limits):
		return "a limit on tokens applies too, and may have denied"
	case len(owned(t.limits)) == 0:
		return "everybody draws on one counter, so that nobody has a quota of its own"
	}
	return ""
}

// owned are the limits of which each caller has a counter to itself.
func owned(limits []tier.Limit) []tier.Limit {
	return slices.DeleteFunc(slices.Clone(limits), tier.Limit.Shared)
}

// members are the identities of the attacks, in the order of their names.
func (t *trial) members() []*member {
	known := map[string]*member{}
	var crowd []*member
	for _, i := range t.mine {
		e := &t.entries[i]
		if e.Identity == "" {
			continue
		}
		m := known[e.Identity]
		if m == nil {
			m = &member{identity: e.Identity, firstSent: e.Sent, drew: longAgo}
			known[e.Identity] = m
			crowd = append(crowd, m)
		}
		m.firstSent, m.lastArrived = min(m.firstSent, e.Sent), max(m.lastArrived, e.Received)
		switch {
		case isPassed(e):
			m.passed = append(m.passed, i+1)
		case e.Outcome == evidence.Denied:
			m.denied = append(m.denied, i+1)
		default:
			m.unknown++
			if e.Outcome == evidence.Refused {
				m.refused++
			}
		}
	}
	t.noteEarlier(known)
	slices.SortFunc(crowd, func(a, b *member) int { return strings.Compare(a.identity, b.identity) })
	return crowd
}

// noteEarlier notes which hits of the members' that are not asked about may have left
// a window running.
func (t *trial) noteEarlier(members map[string]*member) {
	for i := range t.entries {
		e := &t.entries[i]
		m := members[e.Identity]
		if m != nil && e.Sent < m.firstSent && (isPassed(e) || e.Outcome == evidence.Failed || e.Outcome == evidence.Lost) {
			m.drew = max(m.drew, e.Received)
		}
	}
}

// alone is the trial of one identity among the attacks, on the subject's limits.
func (t *trial) alone(identity string) *trial {
	q := t.q
	q.Subject.Identity = identity
	_, q.Subject.Name, _ = strings.Cut(identity, "/")
	return newTrial(q, t.entries)
}
