package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// assumed says of each group of assumptions what broke it, "" if it holds.
type assumed struct {
	ledger, order, pace string
}

func assume(t *trial) assumed {
	return assumed{ledger: t.ledgerBroken(), order: t.orderBroken(), pace: t.paceBroken()}
}

// assumptionsFinding says whether the evidence can be judged. It never fails:
// what breaks an assumption is the suite's own doing, not the limiter's.
func (t *trial) assumptionsFinding() reports.Finding {
	f := pass()
	var broken []string
	for _, reason := range []string{t.assumed.ledger, t.assumed.order, t.assumed.pace} {
		if reason != "" {
			broken = append(broken, reason)
		}
	}
	if len(broken) > 0 {
		f = doubt("%s", strings.Join(broken, "; "))
		f.Component = reports.Suite
		f.Remedy = t.remedy(f)
	}
	f.Rule, f.Guarantee = Assumptions, "the attacks fired what was planned, and every hit is in the ledger once"
	f.Subject, f.Evidence.Ledger = t.subjectName(), t.q.Ledger
	return f
}

// unmet is why a rule with these needs cannot be judged at all, "" if it can.
func (t *trial) unmet(needs need) string {
	switch {
	case needs&needsLedger != 0 && t.assumed.ledger != "":
		return "the ledger cannot be judged: " + t.assumed.ledger
	case needs&needsLedger != 0 && len(t.mine) == 0:
		return "no hit was fired, so nothing was seen"
	case needs&needsOrder != 0 && t.assumed.order != "":
		return "the order cannot be judged: " + t.assumed.order
	case t.modelUnmet(needs) != "":
		return t.modelUnmet(needs)
	case needs&needsWindows != 0 && len(t.limits) == 0:
		return "no limit that counts hits applies to the subject"
	}
	return ""
}

// ledgerBroken checks that each planned hit has exactly one entry that makes
// sense, and that no other entry of the subject exists.
func (t *trial) ledgerBroken() string {
	seen := make(map[string][]bool, len(t.q.Attacks))
	for _, a := range t.q.Attacks {
		if _, twice := seen[a.Name]; twice {
			return fmt.Sprintf("two attacks are planned under the name %q", a.Name)
		}
		seen[a.Name] = make([]bool, max(0, a.Planned))
	}
	repeat := firstRepeat(t.entries)
	for i := range t.entries {
		e := &t.entries[i]
		if reason := entryBroken(e); reason != "" {
			return fmt.Sprintf("entry %d %s", i+1, reason)
		}
		if i == repeat {
			return fmt.Sprintf("entry %d repeats the hit id of an earlier entry", i+1)
		}
		hits, planned := seen[e.Attack]
		switch {
		case !planned:
			continue
		case e.Seq >= uint64(len(hits)):
			return fmt.Sprintf("entry %d is hit %d of attack %q, of which %d were planned", i+1, e.Seq+1, e.Attack, len(hits))
		case hits[e.Seq]:
			return fmt.Sprintf("entry %d is a second entry of hit %d of attack %q", i+1, e.Seq+1, e.Attack)
		}
		hits[e.Seq] = true
	}
	for _, i := range t.mine {
		if _, planned := seen[t.entries[i].Attack]; !planned {
			return fmt.Sprintf("entry %d belongs to attack %q, which was not planned", i+1, t.entries[i].Attack)
		}
	}
	for _, a := range t.q.Attacks {
		fired := 0
		for _, hit := range seen[a.Name] {
			if hit {
				fired++
			}
		}
		if fired < a.Planned {
			return fmt.Sprintf("attack %q left %d entries of %s planned", a.Name, fired, count(a.Planned, "hit"))
		}
	}
	return ""
}

var outcomes = []evidence.Outcome{
	evidence.Admitted, evidence.Denied, evidence.Refused, evidence.Failed, evidence.Lost,
}

func entryBroken(e *evidence.Entry) string {
	switch {
	case e.Hit == "":
		return "has no hit id"
	case e.Sent < 0 || e.Received < e.Sent:
		return fmt.Sprintf("was received at %s but sent at %s", e.Received, e.Sent)
	case !slices.Contains(outcomes, e.Outcome):
		return fmt.Sprintf("has the unknown outcome %q", e.Outcome)
	}
	return ""
}

// orderBroken checks that the subject's attacks went one at a time if they
// were planned so, each and one after the other. "" also where none was.
func (t *trial) orderBroken() string {
	sequential := make(map[string]bool, len(t.q.Attacks))
	for _, a := range t.q.Attacks {
		sequential[a.Name] = a.OneAtATime
	}
	mine := make([]hit, 0, len(t.mine))
	for _, i := range t.mine {
		if e := &t.entries[i]; sequential[e.Attack] {
			mine = append(mine, hit{sent: e.Sent, received: e.Received, number: i + 1})
		}
	}
	slices.SortStableFunc(mine, bySent)
	for i := 1; i < len(mine); i++ {
		gap := mine[i].sent - mine[i-1].received + t.widened(mine[i-1].number-1, mine[i].number-1)
		if gap < 0 {
			return fmt.Sprintf("hits were planned one at a time, but entry %d left %s before entry %d was answered",
				mine[i].number, at(-gap), mine[i-1].number)
		}
	}
	return ""
}

// widened is by how much the gap between two entries looks smaller than it was
// measured: two of one worker's have the same error of its clock.
func (t *trial) widened(before, after int) time.Duration {
	a, b := &t.entries[before], &t.entries[after]
	if a.Worker == "" || a.Worker != b.Worker || a.Attack != b.Attack {
		return 0
	}
	return a.Unsure + b.Unsure
}

// paceBroken checks that the generator kept up with its plan.
func (t *trial) paceBroken() string {
	for _, a := range t.q.Attacks {
		if a.MaxLag > 0 && a.LagP99 > a.MaxLag {
			return fmt.Sprintf("the generator lagged: 1 %% of the hits of attack %q left more than %s late, %s is allowed",
				a.Name, at(a.LagP99), at(a.MaxLag))
		}
	}
	return ""
}
