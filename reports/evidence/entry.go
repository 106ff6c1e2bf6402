// Package evidence is what a run writes down about its hits: the ledger as the
// caller saw them and the books of everybody else. It is written as the run
// goes and read again to judge and to render.
package evidence

import "time"

// Outcome says how a hit ended; exactly one holds for each hit.
type Outcome string

// The outcomes. A 429 from the backend is Failed, never Denied.
const (
	Admitted Outcome = "admitted" // 2xx
	Denied   Outcome = "denied"   // 429 from the gateway
	Refused  Outcome = "refused"  // 401 or 403
	Failed   Outcome = "failed"   // any other status
	Lost     Outcome = "lost"     // no answer
)

// The origins of an answer: the gateway's own reply or the backend's, told
// apart by x-envoy-upstream-service-time (sut.md 3.6b).
const (
	FromGateway = "gateway"
	FromBackend = "backend"
)

// Entry is one hit of an attack.
type Entry struct {
	// Number is the entry's place in its ledger, from 1 (the header's line does
	// not count): what a finding cites. It is set by Append and by reading.
	Number int `json:"-"`
	// Hit is the id that the request carried in HitHeader: unique in the run.
	Hit string `json:"hit"`
	// Attack names the attack in its case; Seq counts its hits from 0.
	Attack string `json:"attack"`
	Seq    uint64 `json:"seq"`
	// Identity is tier/name of who fired, "" for a caller without identity.
	Identity string `json:"identity,omitempty"`
	// Worker is who fired the hit in an attack that several workers share, ""
	// where this process did. Unsure is by how much Sent was then put earlier
	// and Received later than measured, because the worker's clock is known no
	// better. What is wrong with it is wrong with all hits of the worker's share.
	Worker string        `json:"worker,omitempty"`
	Unsure time.Duration `json:"unsure,omitempty"`
	// Due is when the pacer wanted the hit to leave; Sent and Received bound
	// when the limiter decided. All on the ledger's monotonic clock.
	Due      time.Duration `json:"due"`
	Sent     time.Duration `json:"sent"`
	Received time.Duration `json:"received"`
	Outcome  Outcome       `json:"outcome"`
	// Status is the HTTP status, 0 for a lost hit.
	Status int `json:"status"`
	// From is who answered, "" for a lost hit.
	From string `json:"from,omitempty"`
	// Error is the transport's error of a lost hit, or of an answer whose status
	// came and whose body broke off.
	Error string `json:"error,omitempty"`
	// Answer is kept only where the form of the answer is judged.
	Answer *Answer `json:"answer,omitempty"`
}

// Answer is the form of one answer.
type Answer struct {
	Header map[string][]string `json:"header"`
	// Body is at most the first 512 bytes.
	Body string `json:"body"`
}

// HitHeader carries a hit's id. It is a header of our own because Istio
// replaces a client's X-Request-Id (sut.md 3.6b).
const HitHeader = "X-Floodgate-Hit"

// Header is the first line of a ledger.
type Header struct {
	APIVersion string `json:"apiVersion"` // floodgate/v1
	Case       string `json:"case"`
	// Began is the wall clock at 0 of the entries' monotonic clock.
	Began time.Time `json:"began"`
}
