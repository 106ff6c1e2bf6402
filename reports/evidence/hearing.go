package evidence

import (
	"slices"
	"time"
)

// Hearing is what components said when they were asked directly, after a rule had
// failed: it tells whose fault that is, and never whether it is one.
type Hearing struct {
	// At is the wall clock when asking had ended.
	At time.Time `json:"at"`
	// Words are the authorizer's, one for each way in which a caller of the case
	// had presented itself. Left is how many more ways there were.
	Words []Word `json:"words,omitempty"`
	Left  int    `json:"left,omitempty"`
	// Unheard is why the authorizer was not asked, "" if it was.
	Unheard string `json:"unheard,omitempty"`
	// Counters is /counters as the limiter showed it then.
	Counters *CounterBook `json:"counters,omitempty"`
	// Examined is what the limiter did for callers that nobody else has, nil if it
	// was not asked.
	Examined *Examination `json:"examined,omitempty"`
}

// Word is what the authorizer said of one caller. It was asked as a gateway asks,
// while it was asked about others.
type Word struct {
	// Caller is tier/name of whose key was shown, "" where none or a forged one was.
	Caller string `json:"caller"`
	// Shown says in words what the request showed, such as "no key".
	Shown string `json:"shown"`
	// Attacks name those whose hits had shown it.
	Attacks []string `json:"attacks"`
	// Due is what the policy makes of the caller, nil of one who has no key of its
	// own.
	Due *Standing `json:"due,omitempty"`
	// Said are the different answers, the first one first.
	Said []Answered `json:"said,omitempty"`
	// Failed is how many calls had no answer, Failure the first one's gRPC code.
	Failed  int    `json:"failed,omitempty"`
	Failure string `json:"failure,omitempty"`
}

// Standing is how a caller stands with the gateway.
type Standing struct {
	// Status is 200 for a caller who is let in, else the refusal's.
	Status int `json:"status"`
	// User is the name in counters, "" where the policy gives none.
	User string `json:"user,omitempty"`
	// Limits are the names of those that apply, sorted. LimitsUnknown is true where
	// the policy does not tell.
	Limits        []string `json:"limits,omitempty"`
	LimitsUnknown bool     `json:"limitsUnknown,omitempty"`
}

// Answered is one answer and how often it came.
type Answered struct {
	Standing
	Times int `json:"times"`
}

// Examination is how the limiter kept a limit when it was asked directly, with
// what the policy demands, for callers of fresh names.
type Examination struct {
	// Limits are the names of those that were asked for in one call, Quota is the
	// smallest of theirs.
	Limits []string `json:"limits,omitempty"`
	Quota  int64    `json:"quota,omitempty"`
	// InTurn were asked one after the other, Together at once, as another caller.
	InTurn   Asked `json:"inTurn"`
	Together Asked `json:"together"`
	// Counters are those that /counters showed of InTurn's caller afterwards, and
	// Caller is its name.
	Counters []LiveCounter `json:"counters,omitempty"`
	Caller   string        `json:"caller,omitempty"`
	// Booked is what the limiter's metrics had of both callers afterwards, nil if they
	// were not read.
	Booked *Calls `json:"booked,omitempty"`
	// Missing is why the limiter was not examined, "" if it was.
	Missing string `json:"missing,omitempty"`
}

// Asked are the limiter's answers to so many calls of one hit each.
type Asked struct {
	Calls    int `json:"calls"`
	Admitted int `json:"admitted"`
	// Before is how many were admitted before the first was denied.
	Before int `json:"before"`
	// Failed had no answer.
	Failed int `json:"failed,omitempty"`
}

// Equal tells whether two standings are one.
func (s Standing) Equal(o Standing) bool {
	return s.Status == o.Status && s.User == o.User && s.LimitsUnknown == o.LimitsUnknown && slices.Equal(s.Limits, o.Limits)
}

// Differs tells whether a caller who is let in is taken for somebody else than is
// due, as s says, or for one with other limits.
func (s Standing) Differs(said Standing) bool {
	if !s.LetIn() || !said.LetIn() {
		return false
	}
	return s.User != "" && s.User != said.User || !s.LimitsUnknown && !slices.Equal(s.Limits, said.Limits)
}

// LetIn tells whether the caller is not refused.
func (s Standing) LetIn() bool { return s.Status == letIn }

const letIn = 200
