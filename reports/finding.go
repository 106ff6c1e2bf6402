package reports

// Component says which part of the system under test a finding blames.
type Component string

// The components a finding can name; Unattributed where the evidence does not
// tell, Suite where the doubt is of our own making (an attack that lagged).
const (
	Limiter      Component = "limiter"
	Gateway      Component = "gateway"
	Authorizer   Component = "authorizer"
	Model        Component = "model"
	Prometheus   Component = "prometheus"
	Suite        Component = "suite"
	Unattributed Component = ""
)

// Finding is one rule judged on evidence.
type Finding struct {
	// Rule is the rule's name, such as "no-overrun"; Guarantee its promise in
	// a sentence.
	Rule      string  `json:"rule"`
	Guarantee string  `json:"guarantee"`
	Verdict   Verdict `json:"verdict"`
	// Reason says in words and numbers what was seen; never empty unless the
	// verdict is pass.
	Reason string `json:"reason"`
	// Subject is tier/name, or what else the rule was judged on.
	Subject string `json:"subject"`
	// Limit is the limit at stake, as "10 hits / 2m0s".
	Limit string `json:"limit,omitempty"`
	// Component is blamed by a fail; Attribution says why it and no other.
	Component   Component `json:"component"`
	Attribution string    `json:"attribution"`
	Evidence    Evidence  `json:"evidence"`
	// Curve is what the rule measured over something that grew, nil if nothing.
	Curve *Curve `json:"curve,omitempty"`
	// Weaknesses are the known weaknesses of the system under test that were
	// seen, such as "fail-open". A pass with some rests on the run's having
	// declared them; a fail with some would be a pass if they were.
	Weaknesses []string `json:"weaknesses,omitempty"`
	// Remedy says of a doubt what to change so that it can be told; "" of others.
	Remedy string `json:"remedy,omitempty"`
}

// Evidence points into the run's folder.
type Evidence struct {
	// Ledger is a path relative to the run's folder.
	Ledger string `json:"ledger,omitempty"`
	// Entries are line numbers of the ledger's entries, from 1, of the hits
	// that decided (at most 20).
	Entries []int `json:"entries,omitempty"`
}

// Curve are numbers over something that grew, such as callers side by side.
type Curve struct {
	// Over names what grew, Of what was measured.
	Over   string  `json:"over"`
	Of     string  `json:"of"`
	Points []Point `json:"points"`
}

// Point is one number of a curve.
type Point struct {
	At    int     `json:"at"`
	Value float64 `json:"value"`
}
