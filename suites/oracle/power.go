package oracle

import (
	"math"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Power is how surely a defect of the smallest effect is found.
const Power = 0.95

// Defect is a rare or slight defect that a rule finds, and what it strikes.
type Defect struct {
	Rule string
	// What says it, such as "a denial that passes".
	What string
	// strikes counts the hits of a question that the defect can strike.
	strikes func(tally) int
}

// Defects are those that are found by chance: each strikes some hits and not
// others, and one that it strikes is enough.
func Defects() []Defect {
	limitable := func(t tally) int { return t.limitable() }
	sent := func(t tally) int { return t.sent }
	denied := func(t tally) int { return t.denied }
	passed := func(t tally) int { return t.passed() }
	return []Defect{
		{NoOverrun, "a hit that passes instead of being denied", denied},
		{NoUnderrun, "a hit that is denied instead of being admitted", passed},
		{InOrder, "a hit that is denied instead of being admitted", passed},
		{DenialsAre429, "a denial that is answered with another status", denied},
		{Served, "an admitted hit that the model fails", passed},
		{Reconciled, "a call that the limiter does not count", limitable},
		{PrometheusAgrees, "a call that Prometheus does not show", limitable},
		{GatewayAgrees, "a denial that the gateway does not book", denied},
		{BackendAgrees, "a denied hit that reaches the model", denied},
		{AllAdmitted, "a hit that is not admitted", sent},
		{AllRefused, "a hit that is let in", sent},
		{NeverFree, "a hit that is served without a limit", sent},
		{AnswerForm, "an answer of another form", sent},
		{Metered, "a hit that is served without being counted", passed},
		{AllDenied, "a hit that passes without quota left", denied},
	}
}

// Smallest is the share of so many hits that a defect must strike to be found
// with Power: 1-(1-p)^n (cases.md section 4). It is 1 without any hit.
func Smallest(hits int) float64 {
	if hits <= 0 {
		return 1
	}
	return 1 - math.Pow(1-Power, 1/float64(hits))
}

// Sample is what a rule was judged on, over many questions.
type Sample struct {
	// Hits are those that the rule's defect can strike.
	Hits map[string]int `json:"hits"`
	// Shorter and Longer are the smallest parts of its length by which a window
	// must be too short or too long to be found for certain; 1 if no window's end
	// was probed from that side.
	Shorter float64 `json:"shorter"`
	Longer  float64 `json:"longer"`
}

// NewSample is a sample of nothing.
func NewSample() *Sample { return &Sample{Hits: map[string]int{}, Shorter: 1, Longer: 1} }

// Add adds a question's evidence. Evidence that cannot be judged adds nothing.
func (s *Sample) Add(q Question, entries []evidence.Entry) {
	t := newTrial(q, entries)
	if t.assumed.ledger != "" {
		return
	}
	asked := map[string]bool{}
	for _, rule := range q.Rules {
		asked[rule] = true
	}
	for _, d := range Defects() {
		if asked[d.Rule] {
			s.Hits[d.Rule] += d.strikes(t.tally)
		}
	}
	if t.unmet(needsLedger|needsWindows) != "" || !q.Subject.Fresh {
		return
	}
	for i, limit := range t.limits {
		length := float64(limit.Window)
		part := func(d time.Duration) float64 { return max(0, float64(d)/length) }
		l := t.line(i, false)
		for n, h := range l.inside(t.denied) {
			if asked[NoEarlyReset] {
				s.Shorter = min(s.Shorter, part(limit.Window-(h.sent-l.windows[n].openedBy)))
			}
		}
		for _, w := range l.windows {
			if w.full == never || !asked[Resets] {
				continue
			}
			for _, h := range t.passed {
				if h.sent >= w.until {
					s.Longer = min(s.Longer, part(h.received-w.opened-limit.Window))
					break
				}
			}
		}
	}
}
