package local

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// reloadPatience is how long a limiter may take to load a file: the real one
// takes 3 ms, the stand-in 50 ms where it cannot know that a writer is done.
const reloadPatience = 2 * time.Second

// ReplaceLimits puts the policy's limits into a variant's limits file and does
// not wait for the limiter. Before the first change of a plain file the link of
// the ConfigMap mount gives way to one of the same content.
func (a *attached) ReplaceLimits(ctx context.Context, variant string, set *policy.Set, how cluster.Replacement) error {
	v, files, err := a.variant(variant)
	if err != nil {
		return err
	}
	content, err := set.LimitsFile()
	if err != nil {
		return err
	}
	file := files.limits()
	if how == cluster.Switched {
		return file.write(content)
	}
	if err := a.unlink(ctx, v, file); err != nil {
		return fmt.Errorf("make %s a plain file: %w", file.path(), err)
	}
	switch how {
	case cluster.RenamedOver:
		return writeAtomically(file.path(), content)
	case cluster.InPlace:
		return os.WriteFile(file.path(), content, 0o600)
	default:
		return fmt.Errorf("replace %s: the way %q is unknown", file.path(), how)
	}
}

// unlink puts a plain file in the place of the link, and waits until the
// limiter has taken that for the switch that it is: the next change must not be
// read with this one.
func (a *attached) unlink(ctx context.Context, v cluster.Variant, file mounted) error {
	if _, err := os.Readlink(file.path()); err != nil {
		return nil
	}
	content, err := os.ReadFile(file.path())
	if err != nil {
		return err
	}
	before, err := a.reloads(ctx, v)
	if err != nil {
		return err
	}
	if err := writeAtomically(file.path(), content); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, reloadPatience)
	defer cancel()
	// A limiter that does not notice is not waited for any longer.
	_ = probe.Until(bounded, func(ctx context.Context) error {
		now, err := a.reloads(ctx, v)
		if err == nil && now == before {
			err = fmt.Errorf("the limiter has loaded nothing new")
		}
		return err
	})
	return ctx.Err()
}

// reloads counts the reloads of a variant's limiters.
func (a *attached) reloads(ctx context.Context, v cluster.Variant) (int64, error) {
	var sum int64
	limiters, err := a.Limiters(ctx, v.Name)
	if err != nil {
		return 0, err
	}
	for _, base := range limiters {
		status, err := a.reader.Status(ctx, base)
		if err != nil {
			return 0, err
		}
		sum += status.ConfigVersion + status.ConfigErrors
	}
	return sum, nil
}
