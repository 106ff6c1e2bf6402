// Package oracle judges evidence: it is pure (no clock, no network, no
// randomness), so the same evidence gets the same findings, today and when a
// run's folder is judged again.
package oracle

import (
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Question asks the oracle to judge rules on the evidence of one subject in
// one case. It is written to the run's folder beside the ledger.
type Question struct {
	Case string `json:"case"`
	// Rules are names of rules; see All.
	Rules   []string `json:"rules"`
	Subject Subject  `json:"subject"`
	// Attacks are what was planned; entries name the attack that fired them.
	Attacks []Attack    `json:"attacks"`
	Model   WindowModel `json:"model"`
	// ClockDoubt is by how much the limiter's wall clock may differ from the one
	// that Began was read from; it matters to the model Epoch alone.
	ClockDoubt time.Duration `json:"clockDoubt,omitempty"`
	// Alone is true if nobody but the question's attacks used the stack
	// between the snapshots, so that totals of the books are comparable. Books
	// that show others are believed more.
	Alone bool `json:"alone"`
	// Shared is true of a stack that was there before the run: others may call it.
	Shared bool              `json:"shared,omitempty"`
	Before evidence.Snapshot `json:"before"`
	After  evidence.Snapshot `json:"after"`
	// Counters is /counters as it was read for this question, nil if it was not.
	Counters *evidence.CounterBook `json:"counters,omitempty"`
	// Startup is what a limiter that cannot serve showed, nil if none was started.
	Startup *evidence.Startup `json:"startup,omitempty"`
	// Replicas are the limiters' own accounts of the subject, one by one, where
	// they were read.
	Replicas []Replica `json:"replicas,omitempty"`
	// Page is the limiter's metrics text as a strict reader saw it, nil if it was
	// not read.
	Page *evidence.Page `json:"page,omitempty"`
	// Earlier is the same before the question's hits, nil if it was not read.
	Earlier *evidence.Page `json:"earlier,omitempty"`
	// Readings are books that were read in the midst of the case, one after the
	// other.
	Readings []evidence.Snapshot `json:"readings,omitempty"`
	// Outage are the books as they were while Prometheus missed its scrapes, nil
	// if none were missed.
	Outage *evidence.Snapshot `json:"outage,omitempty"`
	// Increase is what Prometheus' increase() shows of the subject, nil if it was
	// not asked.
	Increase *evidence.Increase `json:"increase,omitempty"`
	// Targets are what Prometheus scrapes, nil if it was not asked.
	Targets *evidence.Targets `json:"targets,omitempty"`
	// AnswerTimes are how long the authorizer took that was asked directly, with few
	// and with many keys, in the order in which they were taken; nil if none were.
	AnswerTimes []evidence.AnswerTimes `json:"answerTimes,omitempty"`
	// Hearing is what components said after a rule had failed, nil if none had. It
	// changes no verdict.
	Hearing *evidence.Hearing `json:"hearing,omitempty"`
	// Began is the wall clock at 0 of the entries' clock, as the ledger's header
	// has it: books are dated by the wall clock.
	Began time.Time `json:"began,omitzero"`
	// Declared names the weaknesses of the system under test that the run takes
	// as given.
	Declared []string `json:"declared,omitempty"`
	// Ledger is the ledger's path relative to the run's folder.
	Ledger string `json:"ledger"`
	// Guarantee replaces the meaning of Pass where a case declares one, such
	// as the statuses that a refusal may have.
	Want Want `json:"want,omitzero"`
}

// Want are a case's declared expectations that are no quota (quotas come from
// the subject's limits only).
type Want struct {
	// Statuses are the statuses that every hit must have.
	Statuses []int `json:"statuses,omitempty"`
	// OrDenied is true if a limit is asked first: then a hit may be denied instead,
	// and the form of that answer is not declared here.
	OrDenied bool `json:"orDenied,omitempty"`
	// Headers must be present on every answer; a value of "" means any.
	Headers map[string]string `json:"headers,omitempty"`
	// NoHeaders must be absent from every answer (case-insensitive; a
	// trailing * matches a prefix).
	NoHeaders []string `json:"noHeaders,omitempty"`
	// Body must be the whole body of every answer; nil means any.
	Body *string `json:"body,omitempty"`
	// InForce are the limits that the limiter must show, no more and no less.
	InForce []evidence.LimitInForce `json:"inForce,omitempty"`
	// Change is what was changed while the hits were fired.
	Change *Change `json:"change,omitempty"`
	// Edit is a policy that was put before the system while the hits were fired.
	Edit *Edit `json:"edit,omitempty"`
	// Failing is what was made to fail while the hits were fired.
	Failing *Failing `json:"failing,omitempty"`
	// Step is how the limiter's clock was stepped while the hits were fired.
	Step *Step `json:"step,omitempty"`
	// Formerly are the limits of the tier that the subject has left.
	Formerly []tier.Limit `json:"formerly,omitempty"`
	// Bound is how many hits beyond the quota a window may admit.
	Bound int64 `json:"bound,omitempty"`
	// Slow names the attack of a hit that is under way for long.
	Slow string `json:"slow,omitempty"`
	// Spoofed are headers that the client sent, which no answer may carry.
	Spoofed map[string]string `json:"spoofed,omitempty"`
	// Callers are the metrics' user labels of those whose keys each hit carried,
	// in the keys' order.
	Callers []string `json:"callers,omitempty"`
	// Matching names the attacks whose hits the limit in question matches.
	Matching []string `json:"matching,omitempty"`
	// Sizes say for each attack how many limits were in force.
	Sizes map[string]int `json:"sizes,omitempty"`
	// Reference is the policy's reference model.
	Reference *Reference `json:"reference,omitempty"`
	// Straight names the attack that was fired at the model without a gateway.
	Straight string `json:"straight,omitempty"`
}

// Subject is whose hits are judged.
type Subject struct {
	// Identity is tier/name; Name is the metrics' user label. Both are empty
	// for callers without an identity.
	Identity string `json:"identity"`
	Name     string `json:"name"`
	// Limits are all limits that apply to the subject's requests.
	Limits []tier.Limit `json:"limits,omitempty"`
	// Fresh is true if no counter of the subject was live before.
	Fresh bool `json:"fresh"`
}

// Attack is the plan of one attack.
type Attack struct {
	Name    string `json:"name"`
	Planned int    `json:"planned"`
	// OneAtATime is true if each hit left after the answer to the one before.
	OneAtATime bool `json:"oneAtATime"`
	// Callers is how many hits may be in flight, 0 if nobody said.
	Callers int `json:"callers,omitempty"`
	// Rate is the planned hits per second, 0 if there was none.
	Rate float64 `json:"rate,omitempty"`
	// LagP99 is how late the 99th percentile of hits left after it was due.
	LagP99 time.Duration `json:"lagP99"`
	// MaxLag is how much lag the case bears before its finding is in doubt.
	MaxLag time.Duration `json:"maxLag,omitempty"`
}
