// Package metrics reads the books of a stack: the limiter's metrics text and
// HTTP API, the gateway's statistics, the backend's journal and Prometheus.
//
// It returns numbers as they stand at one moment; differences, and what they
// mean, are the oracle's. Whatever it reads comes from the system under test:
// answers are bounded in size and time, and nothing in them is trusted. A book
// that cannot be read is an error that names its URL, never a zero.
package metrics
