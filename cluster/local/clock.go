package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// clockOffset is the file of a variant's limiter by how much its clock is moved.
func (f variantFiles) clockOffset() string { return filepath.Join(f.dir, "clock-offset") }

// StepClock moves the clock of a limiter whose variant was made for faults.
func (a *attached) StepClock(_ context.Context, component string, by time.Duration) error {
	kind, variant, own := strings.Cut(component, "@")
	if !own {
		variant = mainVariant
	}
	_, files, err := a.variant(variant)
	if err != nil {
		return fmt.Errorf("step the clock of %s: %w", component, err)
	}
	text, err := os.ReadFile(files.clockOffset())
	if kind != limiter || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("step the clock of %s: it has none of its own: %w", component, errors.ErrUnsupported)
	}
	if err != nil {
		return fmt.Errorf("step the clock of %s: %w", component, err)
	}
	now, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("step the clock of %s: %w", component, err)
	}
	if err := writeAtomically(files.clockOffset(), []byte((now + by).String())); err != nil {
		return fmt.Errorf("step the clock of %s: %w", component, err)
	}
	return nil
}
