package evidence

import "time"

// AnswerTimes are how long an authorizer took that was asked directly about one
// caller, one call after the other.
type AnswerTimes struct {
	// Keys is how many keys the case had added by then.
	Keys  int `json:"keys"`
	Calls int `json:"calls"`
	// Median is what half of the calls took at most; a call that timed out counts as
	// long as it was waited for.
	Median time.Duration `json:"median"`
	// Failed calls ended otherwise than by an answer or a timeout.
	Failed int `json:"failed,omitempty"`
}
