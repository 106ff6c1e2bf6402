package existing_test

import (
	"context"
	"testing"
	"time"
)

// shortly is a context for what is not going to happen.
func shortly(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 2*time.Second)
}
