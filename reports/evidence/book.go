package evidence

import "time"

// A Snapshot is what the books said at one moment. A book that could not be
// read is nil here and named in Missing: absence is never zero.
type Snapshot struct {
	// At is the wall clock when reading began.
	At         time.Time         `json:"at"`
	Limiter    *LimiterBook      `json:"limiter,omitempty"`
	Gateway    *GatewayBook      `json:"gateway,omitempty"`
	Backend    *BackendBook      `json:"backend,omitempty"`
	Prometheus *LimiterBook      `json:"prometheus,omitempty"`
	Missing    map[string]string `json:"missing,omitempty"` // book → why
}

// Calls are the limiter's tallies for one label set or one sum of them
// (sut.md 2.8): decisions admitted, decisions denied, units admitted.
type Calls struct {
	Authorized int64 `json:"authorizedCalls"`
	Limited    int64 `json:"limitedCalls"`
	Hits       int64 `json:"authorizedHits"`
}

// LimiterBook is what the limiter's metrics text says, or Prometheus of it.
type LimiterBook struct {
	// Users maps the user label's value to its calls; nil where the limiter
	// has counted calls and no user label at all, empty where it has counted none.
	Users map[string]Calls `json:"users,omitzero"`
	// Unlabelled are the calls of series without a user label.
	Unlabelled Calls `json:"unlabelled"`
	Total      Calls `json:"total"`
	// Refusals are limited_calls by caller and by the limit that they name; nil
	// where the metrics name no limit.
	Refusals map[string]map[string]int64 `json:"refusals,omitempty"`
	// Namespaces are the limiter's decisions by caller and by the namespace that it
	// was asked about; nil where its metrics name none.
	Namespaces map[string]map[string]int64 `json:"namespaces,omitempty"`
	// Scopes are the limiter's namespaces whose calls are counted above; nil where
	// those of all are, because nobody else should call the limiter.
	Scopes []string `json:"scopes,omitempty"`
	// Instances identify the processes summed here by address and start time:
	// a change between two snapshots means a restart.
	Instances []string `json:"instances,omitempty"`
	// InForce are the limits that /limits shows (the limiter's book only).
	InForce []LimitInForce `json:"inForce,omitempty"`
	// Scraped is when Prometheus took the sample (Prometheus' book only).
	Scraped time.Time `json:"scraped,omitzero"`
}

// GatewayBook holds the filter's kuadrant_* counters (cases.md G10).
type GatewayBook struct {
	Hits    int64 `json:"hits"`
	Misses  int64 `json:"misses"`
	Allowed int64 `json:"allowed"`
	Denied  int64 `json:"denied"`
	Errors  int64 `json:"errors"`
}

// BackendBook is the model server's account of the hits that reached it.
type BackendBook struct {
	// Served counts the requests served since the start.
	Served int64 `json:"served"`
	// Hits are how often each of the case's hit ids was served; nil where the
	// backend keeps no journal of ids.
	Hits map[string]int `json:"hits,omitempty"`
}

// LimitInForce is one entry of the limiter's /limits (sut.md 2.7).
type LimitInForce struct {
	Namespace  string   `json:"namespace"`
	MaxValue   int64    `json:"maxValue"`
	Seconds    int64    `json:"seconds"`
	Name       string   `json:"name,omitempty"`
	Conditions []string `json:"conditions,omitempty"`
	Variables  []string `json:"variables,omitempty"`
}
