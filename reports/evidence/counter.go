package evidence

import "time"

// CounterBook is what the limiter's /counters showed at one moment.
type CounterBook struct {
	// At is the wall clock when reading had ended.
	At       time.Time     `json:"at"`
	Counters []LiveCounter `json:"counters,omitempty"`
	// Missing is why it could not be read, "" if it was.
	Missing string `json:"missing,omitempty"`
}

// LiveCounter is one entry of /counters (sut.md 2.7).
type LiveCounter struct {
	// Limit is the limit as the entry shows it, which need not be the one in
	// force.
	Limit LimitInForce `json:"limit"`
	// Values are the caller's values of the limit's variables, sorted.
	Values []string `json:"values,omitempty"`
	// Remaining is what is left of the quota; it may have wrapped below zero.
	Remaining uint64 `json:"remaining"`
	// ExpiresIn is the rest of the window in whole seconds, cut.
	ExpiresIn uint64 `json:"expiresIn"`
}

// Startup is what a component that cannot serve showed of itself: here a
// limiter whose gRPC port somebody else holds.
type Startup struct {
	// Ended is true if the process ended by itself; How is its end, such as
	// "exit status 1".
	Ended bool   `json:"ended"`
	How   string `json:"how,omitempty"`
	// Status is the HTTP status of its /status, 0 without an answer.
	Status int `json:"status"`
	// Serves is true if it answered a gRPC call all the same.
	Serves bool `json:"serves"`
	// Watched is how long it was watched.
	Watched time.Duration `json:"watched"`
}
