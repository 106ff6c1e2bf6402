package local

import (
	"fmt"
	"syscall"
)

// pause holds every process of the group. One that is to end is let go on: see
// Signal.
func (c *child) pause() error {
	c.paused.Store(true)
	if err := c.group.signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("hold process %d: %w", c.PID(), err)
	}
	return nil
}

func (c *child) resume() error {
	c.paused.Store(false)
	if err := c.group.signal(syscall.SIGCONT); err != nil {
		return fmt.Errorf("let process %d go on: %w", c.PID(), err)
	}
	return nil
}
