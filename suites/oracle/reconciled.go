package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/reports"
)

// fmtLimited says how many denials the limiter booked, and how many were seen.
func fmtLimited(m movement) string {
	return fmt.Sprintf("the limiter's limited_calls +%d for %s seen",
		m.Limited, count(m.hits.denied, "denial"))
}

// ledgerBounds are what the limiter's book may show (cases.md, ledger
// equations): A admitted, D denied, X unknown, E at most unheard.
type ledgerBounds struct {
	a, d, x, e int64
	// calls is how many calls one hit can make.
	calls int64
	// errorsKnown is false if the gateway's errors were not read.
	errorsKnown bool
}

func (t *trial) ledgerBounds(hits tally) ledgerBounds {
	b := ledgerBounds{
		a: int64(hits.passed()), d: int64(hits.denied), x: int64(hits.unknown()),
		calls: int64(t.callsPerHit()),
	}
	g, why := t.gatewayMoved()
	b.errorsKnown = why == ""
	b.e = g.Errors
	if !b.errorsKnown {
		b.e = b.a
	}
	return b
}

func judgeReconciled(t *trial) reports.Finding {
	m, why := t.limiterMoved()
	if why != "" {
		return doubt("%s", why)
	}
	if m.hits.limitable() == 0 {
		return doubt("no hit of the subject got past authentication, so the limiter has nothing to tell")
	}
	b := t.ledgerBounds(m.hits)
	if f, broken := b.outside(m); broken {
		c, is := t.mistaken()
		if !is {
			c, is = t.deniedUnasked(m, b)
		}
		if is {
			f.Component, f.Attribution = c.component, c.conclusion
			f.Reason += "; " + c.clause
		}
		if m.lost > 0 {
			f.Reason += fmt.Sprintf("; the limiter booked %s on nobody", count(m.lost, "call"))
		}
		return f
	}
	if f, broken := t.hitsBroken(m, b); broken {
		return f
	}
	short := max(0, b.a-m.Authorized, b.d-m.Limited)
	over := max(0, m.Authorized-b.a-b.x, m.Limited-b.d-b.x)
	switch {
	case m.Authorized == b.a && m.Limited == b.d:
		return pass()
	case b.calls > 1:
		return doubt("one hit can make %d calls of the limiter, so its authorized_calls +%d and limited_calls +%d only roughly tell of %d admitted and %d denied",
			b.calls, m.Authorized, m.Limited, b.a, b.d)
	case short == 0 && over == 0:
		return passSaying("its authorized_calls +%d and limited_calls +%d are within what %d admitted, %d denied and %d unknown allow",
			m.Authorized, m.Limited, b.a, b.d, b.x)
	case !b.errorsKnown:
		return doubt("its authorized_calls +%d and limited_calls +%d differ from %d admitted and %d denied, and the gateway's errors were not read, so calls that were not heard are not known",
			m.Authorized, m.Limited, b.a, b.d)
	case !t.q.Alone:
		return doubt("its authorized_calls +%d and limited_calls +%d differ from %d admitted and %d denied; the gateway's errors +%d may explain it, but others ran beside",
			m.Authorized, m.Limited, b.a, b.d, b.e)
	}
	return passSaying("its authorized_calls +%d and limited_calls +%d are within what %d admitted, %d denied and the gateway's errors +%d allow",
		m.Authorized, m.Limited, b.a, b.d, b.e)
}

// outside holds the book against the equations; broken is true if no number of
// unheard and lost hits explains it.
func (b ledgerBounds) outside(m movement) (f reports.Finding, broken bool) {
	most := b.calls*(b.a+b.x) + (b.calls-1)*b.d
	books := cause{reports.Limiter, "", "the limiter's counters tell another story than its answers"}
	told := fmt.Sprintf("%d admitted, %d denied, %d unknown", b.a, b.d, b.x)
	switch {
	case m.Authorized > most && m.Limited < b.d && m.Authorized+m.Limited == b.a+b.d:
		books.clause = "the calls add up, but on the wrong side"
		return blame(books, nil, "authorized_calls +%d and limited_calls +%d for %s", m.Authorized, m.Limited, told), true
	case m.Authorized > most:
		return blame(books, nil, "authorized_calls +%d for %s: at most +%d can be", m.Authorized, told, most), true
	case m.Limited < b.d:
		return blame(books, nil, "limited_calls +%d for %s: at least +%d must be", m.Limited, told, b.d), true
	case m.Limited > b.d+b.x+b.e && m.Authorized+m.Limited == b.a+b.d:
		return blame(cause{
			reports.Gateway, "", "the limiter denied hits that the gateway let pass",
		}, nil, "limited_calls +%d for %s", m.Limited, told), true
	case m.Limited > b.d+b.x+b.e:
		return blame(books, nil, "limited_calls +%d for %s: at most +%d can be", m.Limited, told, b.d+b.x+b.e), true
	case m.Authorized+m.Limited > b.calls*(b.a+b.d+b.x):
		return blame(books, nil, "%d calls for %s", m.Authorized+m.Limited, told), true
	case b.errorsKnown && m.Authorized < b.a-b.e:
		return blame(cause{
			reports.Gateway, fmt.Sprintf("the gateway's errors +%d", b.e), "the gateway let hits pass without asking the limiter",
		}, nil, "authorized_calls +%d for %s: at least +%d must be", m.Authorized, told, b.a-b.e), true
	}
	return f, false
}

// hitsBroken compares units with decisions: a request costs one. A limiter
// that does not count units at all is older than 2.1 (sut.md 2.4).
func (t *trial) hitsBroken(m movement, b ledgerBounds) (f reports.Finding, broken bool) {
	keeps := t.q.After.Limiter.Total.Hits > 0
	tokens := len(t.limits) < len(t.q.Subject.Limits)
	if off := m.Hits - m.Authorized; !keeps || tokens || off <= b.x && off >= -b.x {
		return f, false
	}
	return blame(cause{reports.Limiter, "", "the limiter's units do not follow its decisions"}, nil,
		"authorized_hits +%d for authorized_calls +%d of one hit each", m.Hits, m.Authorized), true
}
