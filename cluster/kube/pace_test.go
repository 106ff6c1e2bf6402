package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What was answered last stays the last answer when the next question's turn
// would come too late.
func TestLastAnswerOutlivesThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("patience"))
		defer cancel()
		asked := 0
		err := Until(ctx, 10*time.Millisecond, func(context.Context) error {
			if asked++; asked == 1 {
				return errors.New("held by a finalizer")
			}
			return fmt.Errorf("client rate limiter: %w", errNotAsked)
		})
		if asked < 2 || err == nil || !strings.HasSuffix(err.Error(), "patience; the last answer: held by a finalizer") {
			t.Errorf("asked %d times, Until: %v", asked, err)
		}
	})
}

func TestTurnAfterTheEndIsNotAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newPace()
		for turns.TryAccept() {
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := turns.Wait(ctx); !errors.Is(err, errNotAsked) {
			t.Errorf("Wait: %v", err)
		}
	})
}
