package kube

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/util/flowcontrol"
)

// requestRate is how many requests a second go to the API server at most:
// client-go's default of 5 makes an installation wait for itself.
const requestRate = 50

// errNotAsked is in the error of a request that was never sent: its turn would
// have come after the end of its context.
var errNotAsked = errors.New("not asked: its turn comes after the end of patience")

// pace lets requestRate requests a second pass. client-go's own limiter gives the
// same refusal a text alone, which cannot be told from an API server's answer.
type pace struct{ flowcontrol.RateLimiter }

func newPace() pace {
	return pace{flowcontrol.NewTokenBucketRateLimiter(requestRate, 2*requestRate)}
}

// Wait returns errNotAsked where the turn does not come before ctx ends.
func (p pace) Wait(ctx context.Context) error {
	if err := p.RateLimiter.Wait(ctx); err != nil {
		return fmt.Errorf("%w (%w)", errNotAsked, err)
	}
	return nil
}
