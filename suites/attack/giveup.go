package attack

import (
	"context"
	"errors"
	"net/http/httptrace"
	"time"
)

// errGivenUp is why a hit's caller did not wait for its answer.
var errGivenUp = errors.New("given up on purpose")

// stages are how many moments a hit can be given up at, a millisecond apart: so
// long take the steps that a hit passes on its way.
const stages = 4

// patience is the context of hit seq: where the caller gives it up, it ends soon
// after the hit was sent.
func (a Attack) patience(ctx context.Context, seq uint64) (context.Context, context.CancelFunc) {
	every := uint64(a.GiveUpEvery)
	if every == 0 || seq%every != every-1 {
		return context.WithTimeout(ctx, a.Timeout)
	}
	ctx, stop := context.WithTimeout(ctx, a.Timeout)
	ctx, leave := context.WithCancelCause(ctx)
	stage := time.Duration(seq/every%stages) * time.Millisecond
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) {
		if stage == 0 {
			leave(errGivenUp)
			return
		}
		time.AfterFunc(stage, func() { leave(errGivenUp) })
	}})
	return traced, func() {
		leave(nil)
		stop()
	}
}
