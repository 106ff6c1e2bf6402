package local

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// longestPause bounds a pause, so that no order leaves a component stopped.
const longestPause = 30 * time.Second

// pausable is a process that can be held still.
type pausable interface {
	pause() error
	resume() error
}

// pause holds a component for d, or until ctx ends.
func (s *stack) pause(ctx context.Context, component string, d time.Duration) error {
	process, err := s.held(component)
	if err != nil {
		return err
	}
	if d <= 0 || d > longestPause {
		return fmt.Errorf("%s is not between 0 and %s", d, longestPause)
	}
	if err := process.pause(); err != nil {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return errors.Join(err, process.resume())
}

// held is a component's process, if it can be held.
func (s *stack) held(component string) (pausable, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.running(component)
	if err != nil {
		return nil, err
	}
	process, ok := r.process.(pausable)
	if !ok {
		return nil, fmt.Errorf("it cannot be held here: %w", errors.ErrUnsupported)
	}
	return process, nil
}

// Pause holds a component's processes.
func (a *attached) Pause(ctx context.Context, component string, d time.Duration) error {
	if err := a.do(ctx, order{Pause: &pausing{component, d}}); err != nil {
		return fmt.Errorf("pause %s: %w", component, err)
	}
	return nil
}
