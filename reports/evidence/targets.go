package evidence

// Targets are the limiters of a stack as Prometheus knows them.
type Targets struct {
	// Missing is why Prometheus could not be asked, "" if it was.
	Missing  string          `json:"missing,omitempty"`
	Limiters []LimiterTarget `json:"limiters,omitempty"`
}

// LimiterTarget is one limiter by its instance label.
type LimiterTarget struct {
	Instance string `json:"instance"`
	// Target is true if Prometheus is told to scrape it.
	Target bool `json:"target"`
	// Down is why the last scrape failed, "" if it did not.
	Down string `json:"down,omitempty"`
}
