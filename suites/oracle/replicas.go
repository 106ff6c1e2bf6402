package oracle

import (
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Replica is one limiter's own account of the subject's hits.
type Replica struct {
	// Instance is its address and start time.
	Instance string `json:"instance"`
	// Calls are those of the subject between the snapshots.
	Calls evidence.Calls `json:"calls"`
}

// judgeOneCounter looks for the doubling that limiters without a shared store
// make of every quota (cases.md S09): more than a quota is admitted, and no
// limiter has admitted more than one.
func judgeOneCounter(t *trial) reports.Finding {
	s, why := t.sharing()
	switch {
	case why != "":
		return doubt("%s", why)
	case len(t.q.Replicas) == 1:
		return limitedBy(s.limit, passSaying("there is one limiter, and so one counter"))
	case s.passed > s.limit.Quota && s.apart():
		return limitedBy(s.limit, t.weak([]string{weakness.UnsharedCounters}, cause{
			reports.Limiter, fmt.Sprintf("each counts for itself (%s)", s.each),
			"no limiter admitted more than a quota: each has a counter of its own (memory storage), so that an identity has a quota in each: use a store that they share, or one limiter",
		}, numbers(t.passed), "%s admitted %d of %d hits", limiters(len(t.q.Replicas)), s.passed, s.limit.Quota))
	case s.passed > s.limit.Quota:
		return limitedBy(s.limit, blame(t.overAdmission(), numbers(t.passed), "%s admitted %d of %d hits (%s)",
			limiters(len(t.q.Replicas)), s.passed, s.limit.Quota, s.each))
	case s.asked < 2:
		return doubt("only %d of %s was asked about the subject, so whether they share a counter was not seen", s.asked, limiters(len(t.q.Replicas)))
	case len(t.denied) == 0:
		return doubt("no hit was denied, so the quota of %d was not put to the test", s.limit.Quota)
	}
	return limitedBy(s.limit, passSaying("%s, of which %d were asked, admitted %d of %d hits: they share a counter",
		limiters(len(t.q.Replicas)), s.asked, s.passed, s.limit.Quota))
}

// judgeUnsharedIsFound is judged on a system whose limiters were multiplied on
// purpose. It holds where they share a counter, or where that each counts for
// itself is found, named and declared; what no limiter with a memory of its own
// can admit fails it.
func judgeUnsharedIsFound(t *trial) reports.Finding {
	f := judgeOneCounter(t)
	if f.Verdict == reports.Pass && len(t.q.Replicas) < 2 {
		return doubt("there is one limiter only, so that nothing could be found out")
	}
	return f
}

func limitedBy(limit tier.Limit, f reports.Finding) reports.Finding {
	f.Limit = limit.String()
	return f
}

// sharing is how the limiters' own accounts divide the subject's hits.
type sharing struct {
	limit  tier.Limit
	passed int64
	// booked is what all limiters admitted, most what one of them did, and asked
	// how many were asked at all.
	booked, most int64
	asked        int
	// each lists what each admitted.
	each string
}

// apart says that the limiters' accounts explain what passed by a counter in
// each of them.
func (s sharing) apart() bool { return s.booked >= s.passed && s.most <= s.limit.Quota }

func (t *trial) sharing() (s sharing, why string) {
	limit, limited := tier.Binding(t.limits)
	switch {
	case len(t.q.Replicas) == 0:
		return s, "no limiter's own account was read"
	case !limited || limit.Quota <= 0:
		return s, "no limit that admits hits applies to the subject"
	case !t.q.Subject.Fresh:
		return s, notFresh
	}
	s.limit = limit
	var each []string
	for _, r := range t.q.Replicas {
		if min(r.Calls.Authorized, r.Calls.Limited) < 0 {
			return s, "a limiter's account went backwards, so it started anew"
		}
		s.booked += r.Calls.Authorized
		s.most = max(s.most, r.Calls.Authorized)
		if r.Calls.Authorized+r.Calls.Limited > 0 {
			s.asked++
		}
		each = append(each, fmt.Sprintf("%.80s +%d", r.Instance, r.Calls.Authorized))
	}
	s.each = strings.Join(each, ", ")
	if len(t.passed) > 0 {
		s.passed = int64(len(before(t.passed, t.passed[0].sent+limit.Window-Edge(limit.Window))))
		if s.passed < int64(len(t.passed)) {
			return s, "the hits took longer than a window, so that a second quota may be among them"
		}
	}
	return s, ""
}
