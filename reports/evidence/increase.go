package evidence

// Increase is what Prometheus' increase() extrapolates of one caller's calls,
// over a range that began before the first.
type Increase struct {
	// Missing is why it could not be asked, "" if it was.
	Missing    string  `json:"missing,omitempty"`
	Authorized float64 `json:"authorized"`
	Limited    float64 `json:"limited"`
}
