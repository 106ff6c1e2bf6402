package attack

import (
	"context"
	"syscall"
	"time"
)

// kernelPause is how much of a pause is at most spent in the kernel: it wakes
// within about 0.1 ms, but does not hear of a cancelled attack.
const kernelPause = 5 * time.Millisecond

// pausePrecisely blocks an operating system thread at the end of the pause.
func pausePrecisely(ctx context.Context, d time.Duration) {
	if d > kernelPause {
		end := time.Now().Add(d)
		pauseByTimer(ctx, d-kernelPause)
		d = time.Until(end)
	}
	for d > 0 && ctx.Err() == nil {
		left := syscall.NsecToTimespec(int64(d))
		// An interrupted sleep leaves what remains of it in left.
		if syscall.Nanosleep(&left, &left) == nil {
			return
		}
		d = time.Duration(left.Nano())
	}
}
