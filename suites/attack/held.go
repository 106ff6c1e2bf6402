package attack

import (
	"context"
	"io"
	"time"
)

// heldBody is a body whose last byte stays behind for a while: its hit is under
// way for so long at least, whatever the system under test does.
type heldBody struct {
	ctx  context.Context // an io.Reader takes none, and the wait must end with the hit
	left []byte
	hold time.Duration
}

// Read is io.Reader's.
func (b *heldBody) Read(p []byte) (int, error) {
	switch {
	case len(b.left) == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	case len(b.left) > 1:
		n := copy(p, b.left[:len(b.left)-1])
		b.left = b.left[n:]
		return n, nil
	}
	pauseByTimer(b.ctx, b.hold)
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	p[0], b.left = b.left[0], nil
	return 1, nil
}
