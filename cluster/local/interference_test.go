package local

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/cluster/providertest"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// standing is a stack of a small policy that goes down with the test, and the
// view that an attached process has of it.
func standing(t *testing.T, faults ...string) (*system, *attached, *policy.Set) {
	t.Helper()
	dir := providertest.PolicyDir(t)
	set, err := policy.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	provider := &Provider{}
	up, err := provider.Up(t.Context(), cluster.Options{
		RunDir: t.TempDir(), Variants: []cluster.VariantSpec{{Name: mainVariant, Dir: dir}}, Seed: 1,
		Programs: map[string]string{prometheus: NoPrometheus}, Faults: map[string][]string{limiter: faults}, Progress: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := up.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("down: %v", err)
		}
	})
	other, err := provider.Attach(t.Context(), up.Stack())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Down(context.WithoutCancel(t.Context())) })
	ours, isOurs := up.(*system)
	theirs, isTheirs := other.(*attached)
	if !isOurs || !isTheirs {
		t.Fatalf("Up gives %T, Attach %T", up, other)
	}
	return ours, theirs, set
}

func TestLimitsFileIsReplaced(t *testing.T) {
	_, attached, set := standing(t)
	limits := set.Tiers()[0].Limits
	edited, err := set.WithQuotas(limits, limits[0].Quota+4)
	if err != nil {
		t.Fatal(err)
	}
	base := attached.up.Variants[mainVariant].Limiters[0]
	next, other := edited, set
	for _, how := range []cluster.Replacement{cluster.Switched, cluster.RenamedOver, cluster.InPlace, cluster.RenamedOver, cluster.Switched} {
		if err := attached.ReplaceLimits(t.Context(), mainVariant, next, how); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		err := attached.await(t.Context(), limiter, mainVariant, func(ctx context.Context) error {
			return probe.LimitsInForce(ctx, attached.reader, base, next)
		})
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		next, other = other, next
	}
	if err := attached.ReplaceLimits(t.Context(), mainVariant, next, "by hand"); err == nil {
		t.Error("an unknown way: no error")
	}
}

func TestLimiterOnATakenPort(t *testing.T) {
	_, right, _ := standing(t)
	shown, err := right.StartOnTakenPort(t.Context(), mainVariant)
	if err != nil {
		t.Fatal(err)
	}
	if !shown.Ended || shown.How != "exit status 1" || shown.Serves {
		t.Errorf("a limiter without its port: %+v, want it to end with status 1", shown)
	}
	_, wrong, _ := standing(t, "status-before-grpc")
	shown, err = wrong.StartOnTakenPort(t.Context(), mainVariant)
	if err != nil {
		t.Fatal(err)
	}
	if shown.Ended || shown.Status != http.StatusOK || shown.Serves {
		t.Errorf("a limiter that hides it: %+v, want status 200 and no service", shown)
	}
	if _, err := wrong.StartOnTakenPort(t.Context(), "no-such"); err == nil {
		t.Error("an unknown variant: no error")
	}
}

func TestLimiterThatIsToldToStop(t *testing.T) {
	system, attached, set := standing(t)
	if err := attached.Stop(t.Context(), limiter); err != nil {
		t.Fatal(err)
	}
	base := attached.up.Variants[mainVariant].Limiters[0]
	stopped, cancel := context.WithTimeout(t.Context(), changePatience)
	defer cancel()
	err := probe.Until(stopped, func(ctx context.Context) error {
		if _, err := attached.reader.Status(ctx, base); err != nil {
			return nil //nolint:nilerr // nobody answers: it has ended
		}
		return errors.New("it still answers")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := attached.Restart(t.Context(), limiter); err != nil {
		t.Fatal(err)
	}
	if err := probe.LimitsInForce(t.Context(), attached.reader, base, set); err != nil {
		t.Error(err)
	}
	select {
	case death := <-system.Died():
		t.Errorf("a limiter that was told to stop is reported as a death: %+v", death)
	case <-time.After(probe.Interval):
	}
	if !slices.ContainsFunc(system.Stack().Components, func(c cluster.Component) bool { return c.Name == limiter && c.PID != 0 }) {
		t.Error("no limiter is up")
	}
	if err := attached.Stop(t.Context(), "no-such"); err == nil {
		t.Error("an unknown component: no error")
	}
}
