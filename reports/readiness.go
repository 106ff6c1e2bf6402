package reports

import (
	"fmt"
	"time"
)

// Readiness is how the policy of one variant came into force. Its times are
// when the run saw it, zero where it was not seen. It decides no verdict.
type Readiness struct {
	Variant string `json:"variant"`
	// Began is when the run began to wait for the evidence.
	Began time.Time `json:"began"`
	// Programmed is when the listeners were; Accepted and Enforced when the rate
	// limits' objects said so, which proves nothing (sut.md 0.1); Limits when every
	// limiter showed the policy's limits.
	Programmed time.Time `json:"programmed,omitzero"`
	Accepted   time.Time `json:"accepted,omitzero"`
	Enforced   time.Time `json:"enforced,omitzero"`
	Limits     time.Time `json:"limits,omitzero"`
	// Refused is when a caller without a key was first turned away, FirstDenied
	// when an identity was first answered with 429, after Hits hits.
	Refused     time.Time `json:"refused,omitzero"`
	FirstDenied time.Time `json:"firstDenied,omitzero"`
	Hits        int       `json:"hits"`
	// Gap is from Enforced to FirstDenied, in seconds, nil if one of them was not
	// seen; Budget is how much of it passes without a warning.
	Gap    *float64 `json:"gapSeconds,omitempty"`
	Budget float64  `json:"budgetSeconds,omitempty"`
	// Unseen says why something was not seen, by its name here.
	Unseen map[string]string `json:"unseen,omitempty"`
}

// readinessSteps are the pieces of evidence in the order of what each proves,
// the least first.
var readinessSteps = []struct {
	// name is for people, unseen the key of Readiness.Unseen.
	name, unseen string
	at           func(Readiness) time.Time
}{
	{"listener programmed", "programmed", func(r Readiness) time.Time { return r.Programmed }},
	{"Accepted", "accepted", func(r Readiness) time.Time { return r.Accepted }},
	{"Enforced", "enforced", func(r Readiness) time.Time { return r.Enforced }},
	{"limits shown", "limits", func(r Readiness) time.Time { return r.Limits }},
	{"no key refused", "refused", func(r Readiness) time.Time { return r.Refused }},
	{"first 429", "firstDenied", func(r Readiness) time.Time { return r.FirstDenied }},
}

// ReadinessSteps are the names of what Steps tells, in its order.
func ReadinessSteps() []string {
	var names []string
	for _, step := range readinessSteps {
		names = append(names, step.name)
	}
	return names
}

// Steps are the seconds from Began to each piece of evidence; "" for what was
// not looked for.
func (r Readiness) Steps() []string {
	var texts []string
	for _, step := range readinessSteps {
		text := ""
		if at := step.at(r); !at.IsZero() {
			text = fmt.Sprintf("%.2f s", at.Sub(r.Began).Seconds())
		} else if r.Unseen[step.unseen] != "" {
			text = "not seen"
		}
		texts = append(texts, text)
	}
	return texts
}

// GapText is the gap for people, "" where there is none.
func (r Readiness) GapText() string {
	if r.Gap == nil {
		return ""
	}
	return fmt.Sprintf("%.2f s", *r.Gap)
}

// Late says that the gap is larger than its budget.
func (r Readiness) Late() bool { return r.Gap != nil && r.Budget > 0 && *r.Gap > r.Budget }

// Notes are why something was not seen, in the order of Steps.
func (r Readiness) Notes() []string {
	var notes []string
	for _, step := range readinessSteps {
		if why := r.Unseen[step.unseen]; why != "" {
			notes = append(notes, fmt.Sprintf("%s: %s was not seen: %s", r.Variant, step.name, why))
		}
	}
	return notes
}
