package oracle

import (
	"fmt"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// judgeLimitsInTime is judged on a subject that nobody limits, who fires while a
// policy that limits it is created (cases.md P01). The gap from the moment that
// the status said Enforced=True to the first denial is reported whatever the
// verdict; where the system tells no status it begins when the policy was put.
func judgeLimitsInTime(t *trial) reports.Finding {
	edit := t.q.Want.Edit
	limit, limited := tier.Binding(t.limits)
	switch {
	case edit == nil:
		return doubt("the question names no policy that was created")
	case !limited || limit.Quota <= 0:
		return doubt("%s: no limit that admits hits applies to the subject", edit.What)
	}
	g := t.gapOf(edit, limit)
	var f reports.Finding
	switch {
	case len(g.early) > 0:
		f = blame(t.falseDenial(), numbers(g.early), "%s: %s denied before it", edit.What, hitsWere(len(g.early)))
	case g.untold == 0:
		return doubt("%s: no hit was admitted before it, so that it was open was not seen", edit.What)
	// A window that has begun in time ends and another begins, both unused up to
	// here.
	case int64(len(g.late)) > 2*limit.Quota:
		f = blame(t.letPass(g, limit), numbers(g.late), "%s: more than %s after %s, %s still admitted, %s; %s",
			edit.What, at(edit.Budget), g.since, hitsWere(len(g.late)), lastAt(g.late), g.first(edit))
	case g.denied == nil:
		return doubt("%s: no hit was denied, and too few were fired more than %s after %s", edit.What, at(edit.Budget), g.since)
	case len(g.back) > 0:
		f = blame(t.letPass(g, limit), numbers(g.back), "%s: %s admitted after the limit had shown and its budget of %s was over; %s",
			edit.What, hitsWere(len(g.back)), at(edit.Budget), g.first(edit))
	default:
		f = passSaying("%s: %s, after %s without a limit; %s", edit.What, g.first(edit), count(g.unlimited, "hit"), edit.status())
	}
	f.Limit = limit.String()
	return f
}

// gap is what was seen between a policy and its first denial.
type gap struct {
	// begins is when the policy should limit, and since says in words what
	// happened then.
	begins time.Duration
	since  string
	// denied is the first denied hit, nil if there was none.
	denied *hit
	// early were denied before the policy was handed over, late were admitted
	// after its budget and before anybody was denied, back after the budget
	// although somebody had been denied in the same window.
	early, late, back []hit
	// untold counts the hits admitted before the policy, told those admitted since
	// it should limit, and unlimited those of them, without the quota that it
	// gives, that came before the first denial.
	untold, told, unlimited int
}

// letPass says who let hits pass that the policy should limit: of those before
// it, the limiter need not have heard.
func (t *trial) letPass(g gap, limit tier.Limit) cause {
	m, why := t.limiterMoved()
	notAsked, is := t.notAskedSince(limit)
	switch {
	case is:
		return notAsked
	case why != "":
		return cause{clause: why, conclusion: "without the limiter's own count, its yes cannot be told from a call that was not made"}
	case m.Authorized >= int64(g.told):
		return cause{
			reports.Limiter,
			fmt.Sprintf("the limiter said yes to all %d since then (its authorized_calls +%d)", g.told, m.Authorized),
			"the gateway asks, and the limiter does not limit",
		}
	}
	return t.neverAnswered(m, int64(g.told), int64(g.told)-m.Authorized)
}

func (t *trial) gapOf(edit *Edit, limit tier.Limit) gap {
	g := gap{begins: edit.Put, since: "it was put"}
	if edit.Told > 0 {
		g.begins, g.since = edit.Told, "its status said Enforced=True"
	}
	over := g.begins + edit.Budget
	g.early = before(t.denied, edit.Asked)
	for _, h := range t.denied {
		if g.denied == nil || h.received < g.denied.received {
			g.denied = &h
		}
	}
	g.untold = len(before(t.passed, edit.Asked))
	// No window of the policy can end before one that opened when it was handed
	// over, nor a second one that opened after the budget before its own length.
	window := limit.Window
	for _, l := range t.limits {
		window = min(window, l.Window)
	}
	first, next := edit.Asked+window-Edge(window), over+window-Edge(window)
	for _, h := range t.passed {
		switch {
		case h.sent > over && h.received < next && (g.denied == nil || h.received < g.denied.sent):
			g.late = append(g.late, h)
		case g.denied != nil && h.sent > max(over, g.denied.received) && h.received < first:
			g.back = append(g.back, h)
		}
		if h.sent >= g.begins {
			g.told++
			if g.denied == nil || h.sent < g.denied.sent {
				g.unlimited++
			}
		}
	}
	g.unlimited = max(0, g.unlimited-int(limit.Quota))
	return g
}

// first says when the first denial came.
func (g gap) first(edit *Edit) string {
	switch {
	case g.denied == nil:
		return "none was denied"
	case g.denied.received < g.begins:
		return fmt.Sprintf("the first 429 came %s before %s, %s after it was put", at(g.begins-g.denied.received), g.since, at(g.denied.received-edit.Put))
	case edit.Told > 0:
		return fmt.Sprintf("the first 429 came %s after %s, %s after it was put", at(g.denied.received-g.begins), g.since, at(g.denied.received-edit.Put))
	}
	return fmt.Sprintf("the first 429 came %s after it was put", at(g.denied.received-edit.Put))
}

// lastAt is when the last of several hits left.
func lastAt(hits []hit) string {
	return fmt.Sprintf("the last one at %s", at(hits[len(hits)-1].sent))
}
