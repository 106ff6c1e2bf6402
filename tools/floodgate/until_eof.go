package main

import (
	"context"
	"fmt"
	"io"
)

// errStarterGone is why a run ends whose starter has ended, however it did.
var errStarterGone = fmt.Errorf("who started this run is gone: %w", context.Canceled)

// untilEOF ends the context with the input: whoever holds its other end ends what
// it started by closing it, and by ending.
func untilEOF(ctx context.Context, input io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		// Nothing is sent; how the input ends does not matter.
		_, _ = io.Copy(io.Discard, input)
		cancel(errStarterGone)
	}()
	return ctx, func() { cancel(nil) }
}
