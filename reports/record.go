package reports

import (
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// APIVersion is the version of the record's schema.
const APIVersion = "floodgate/v1"

// Record is what one run leaves, written as the run goes.
type Record struct {
	APIVersion string  `json:"apiVersion"`
	Verdict    Verdict `json:"verdict"`
	// Reason says why a run has no better verdict, such as what ended it.
	Reason string `json:"reason,omitempty"`
	// Interrupted is true from the start until the run has ended in order: a
	// killed run leaves it true.
	Interrupted bool   `json:"interrupted"`
	Run         string `json:"run"`
	Version     string `json:"version"`
	Lane        string `json:"lane"`
	// Whole is true if the run was asked for all cases of its lane.
	Whole   bool      `json:"whole,omitempty"`
	Seed    int64     `json:"seed"`
	Command []string  `json:"command"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	// WindowModel is how the limiter under test is declared to count.
	WindowModel string `json:"windowModel,omitempty"`
	// Policies is the manifests' folder as the user named it.
	Policies   string          `json:"policies"`
	Stack      Stack           `json:"stack"`
	Tiers      []tier.Tier     `json:"tiers"`
	Identities []IdentityTally `json:"identities"`
	Cases      []Case          `json:"cases"`
	// Declared are the weaknesses of the system under test that this run takes
	// as given.
	Declared []Declaration `json:"declared,omitempty"`
	// Doubt is what the run does not know, and how much of that it may have.
	Doubt Doubt `json:"doubt,omitzero"`
	// Books sums what each book says of the whole run.
	Books Books `json:"books"`
	// Readiness is how each variant's policy came into force, where the provider
	// tells.
	Readiness []Readiness `json:"readiness,omitempty"`
	// Diagnoses are what was collected on cases and steps that went wrong.
	Diagnoses []Diagnosis `json:"diagnoses,omitempty"`
	// Warnings are what a reader must know, such as a component that died.
	Warnings []string `json:"warnings,omitempty"`
}

// Stack is the system under test as the run found it.
type Stack struct {
	Provider   string `json:"provider"`
	Components []Part `json:"components"`
}

// Part is one component of the stack.
type Part struct {
	Name string `json:"name"`
	// Origin is "real", "stand-in", or "unknown" behind a URL alone.
	Origin  string `json:"origin"`
	Version string `json:"version"`
	// Path is the program that ran.
	Path string `json:"path"`
	// Faults are the named faults that the part was started with.
	Faults []string `json:"faults,omitempty"`
	// Manners are the ways in which the part was told to be unusual and right.
	Manners []string `json:"manners,omitempty"`
	// WindowModel is how a stand-in counts windows, "" if as the real one does.
	WindowModel string `json:"windowModel,omitempty"`
}

// IdentityTally is what one identity sent in the run and how it ended.
type IdentityTally struct {
	Name     string `json:"name"`
	Tier     string `json:"tier"`
	Case     string `json:"case,omitempty"`
	Sent     int    `json:"sent"`
	Admitted int    `json:"admitted"`
	Denied   int    `json:"denied"`
	Refused  int    `json:"refused"`
	Failed   int    `json:"failed"`
	Lost     int    `json:"lost"`
	// Books are the other accounts of the same identity's hits.
	Books Books `json:"books,omitzero"`
}

// Books puts the accounts of one identity, case or run side by side; an
// account that was not available is nil, never zero.
type Books struct {
	Limiter    *evidence.Calls       `json:"limiter,omitempty"`
	Gateway    *evidence.GatewayBook `json:"gateway,omitempty"`
	Backend    *int64                `json:"backend,omitempty"`
	Prometheus *evidence.Calls       `json:"prometheus,omitempty"`
}

// Case is one conformance case of the run.
type Case struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Lane  string `json:"lane"`
	// Variant names the policy that the case ran on: "policy", "twin", "open".
	Variant string  `json:"variant,omitempty"`
	Verdict Verdict `json:"verdict"`
	// Doubt says what, apart from its findings, keeps the case from a verdict:
	// its spec was interrupted, its ledger is not whole.
	Doubt string `json:"doubt,omitempty"`
	// Void is true if the case saw nothing that is evidence about the limits: a
	// component died under it. Its findings then decide nothing.
	Void bool `json:"void,omitempty"`
	// Reason says why a case was not judged or is in doubt.
	Reason   string        `json:"reason,omitempty"`
	Began    time.Time     `json:"began,omitzero"`
	Duration time.Duration `json:"duration,omitempty"`
	// Again is the command that runs this case alone with the same seed.
	Again    string    `json:"again,omitempty"`
	Findings []Finding `json:"findings"`
	// Policy is the manifest of the policy that was drawn for the case and that it
	// failed on, relative to the run's folder; "" if none was drawn.
	Policy string `json:"policy,omitempty"`
	// Identities are the case's callers.
	Identities []IdentityTally `json:"identities,omitempty"`
	// Workers are the shares of the case's attacks that several workers fired.
	Workers []Worker `json:"workers,omitempty"`
	// Evidence are the files of the case, relative to the run's folder.
	Evidence []string `json:"evidence,omitempty"`
}
