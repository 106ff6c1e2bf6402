package cluster

import (
	"fmt"
	"strings"
)

// StartError says which component did not come up, what was run, what was
// waited for, how its log ended and what to do next.
type StartError struct {
	Component string
	// Command can be pasted into a shell.
	Command string
	// Waiting is what was waited for, such as "a gRPC answer on 127.0.0.1:8081".
	Waiting string
	// Log is the end of its log.
	Log   string
	Next  string
	Cause error
}

func (e *StartError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s did not come up: %v", e.Component, e.Cause)
	for _, part := range []struct{ label, text string }{
		{"command", e.Command},
		{"waited for", e.Waiting},
		{"end of log", strings.TrimRight(e.Log, "\n")},
		{"next", e.Next},
	} {
		if part.text != "" {
			fmt.Fprintf(&b, "\n  %-10s %s", part.label, strings.ReplaceAll(part.text, "\n", "\n             "))
		}
	}
	return b.String()
}

func (e *StartError) Unwrap() error { return e.Cause }
