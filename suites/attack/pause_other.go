//go:build !linux

package attack

import (
	"context"
	"time"
)

// pausePrecisely is only as precise as the runtime's timers here.
func pausePrecisely(ctx context.Context, d time.Duration) { pauseByTimer(ctx, d) }
