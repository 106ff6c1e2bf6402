package providertest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/cluster/probe"
)

// heldFor is how long a component is held still.
const heldFor = 50 * time.Millisecond

// disturbs tries what breaks a stack on purpose, on a variant that is made for it
// and denies hits whose limiter is not heard.
func (c Contract) disturbs(t *testing.T) {
	options := c.options(t)
	options.Variants = append(options.Variants, cluster.VariantSpec{
		Name: "faults", Dir: options.Variants[0].Dir, Interfered: true, LimiterFailureMode: "deny",
	})
	options.Variants = append(options.Variants, cluster.VariantSpec{Name: "several", Dir: options.Variants[0].Dir, Scalable: true})
	s := c.up(t, options)
	t.Run("cuts components off and mends", func(t *testing.T) { s.cutsOff(t, s.System, "ann") })
	t.Run("cuts components off for an attached process", func(t *testing.T) {
		attached, err := s.provider.Attach(t.Context(), s.Stack())
		if err != nil {
			t.Fatal(err)
		}
		s.cutsOff(t, attached, "ben")
		if err := attached.Down(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("delays answers", s.delays)
	t.Run("holds components still", s.holds)
	t.Run("steps clocks", s.stepsClocks)
	t.Run("has gateways and limiters come and go", func(t *testing.T) { s.scales(t, s.System, "ann") })
	t.Run("has them come and go for an attached process", func(t *testing.T) {
		attached, err := s.provider.Attach(t.Context(), s.Stack())
		if err != nil {
			t.Fatal(err)
		}
		s.scales(t, attached, "ben")
		if err := attached.Down(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("nothing died", func(t *testing.T) {
		select {
		case death := <-s.Died():
			t.Errorf("%s died: %v\n%s", death.Component, death.Cause, death.Log)
		default:
		}
	})
}

// cutsOff cuts off everything that a gateway calls, one after the other.
func (s *stand) cutsOff(t *testing.T, system cluster.System, who string) {
	t.Helper()
	interferer, ok := system.(cluster.Interferer)
	if !ok {
		t.Skip("this provider interferes with no network")
	}
	// The model server comes first, while there is quota left.
	for _, cut := range []struct {
		component string
		want      int
	}{
		{"llmd@faults", http.StatusServiceUnavailable},
		{"limitador@faults", http.StatusInternalServerError},
		{"authorino@faults", http.StatusInternalServerError},
	} {
		mend, err := interferer.Interfere(t.Context(), cut.component, cluster.NetworkFault{Cut: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.status(t, who); got != cut.want {
			t.Errorf("%s is cut off: %d, want %d", cut.component, got, cut.want)
		}
		if err := mend(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.decides(t, who, cut.component)
	}
	_, err := interferer.Interfere(t.Context(), "limitador", cluster.NetworkFault{Cut: true})
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a component of a variant that is not made for it: %v, want that it is unsupported", err)
	}
}

// status is how a caller's hit on the variant ends.
func (s *stand) status(t *testing.T, who string) int {
	t.Helper()
	return fire(t, s.Stack().Variants["faults"].Gateway, s.set.Request(), s.identity(t, who), "disturbed", 1)[0]
}

// decides waits until a caller is served or denied again: the gateway must
// connect anew first.
func (s *stand) decides(t *testing.T, who, component string) {
	t.Helper()
	for began := time.Now(); ; {
		got := s.status(t, who)
		if got == http.StatusOK || got == http.StatusTooManyRequests {
			return
		}
		if time.Since(began) > probe.Timeout {
			t.Fatalf("%s is mended, and yet hits end with %d", component, got)
		}
	}
}

// delays has the authorizer answer later than the gateway waits.
func (s *stand) delays(t *testing.T) {
	interferer, ok := s.System.(cluster.Interferer)
	services := s.Stack().Variants["faults"].Services
	if !ok || services == nil {
		t.Skip("this provider interferes with no network, or does not know its gateway's patience")
	}
	mend, err := interferer.Interfere(t.Context(), "authorino@faults", cluster.NetworkFault{Delay: 2 * services.AuthorizerTimeout})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.status(t, "ann"); got != http.StatusInternalServerError {
		t.Errorf("the authorizer is late: %d, want %d", got, http.StatusInternalServerError)
	}
	if err := mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.decides(t, "ann", "authorino@faults")
	if services.LimiterFailureMode != "deny" {
		t.Errorf("the gateway is to deny what no limiter hears, and the stack says %q", services.LimiterFailureMode)
	}
}

// holds stops components and lets them go on.
func (s *stand) holds(t *testing.T) {
	pauser, ok := s.System.(cluster.Pauser)
	if !ok {
		t.Skip("this provider holds nothing still")
	}
	for _, component := range []string{"limitador@faults", "gateway@faults"} {
		err := pauser.Pause(t.Context(), component, heldFor)
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skipf("this provider holds nothing still: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := s.status(t, "ann"); !slices.Contains([]int{http.StatusOK, http.StatusTooManyRequests}, got) {
			t.Errorf("%s was held for %s, and then a hit ends with %d", component, heldFor, got)
		}
	}
	if err := pauser.Pause(t.Context(), "nobody", heldFor); err == nil {
		t.Error("holding a component that does not exist: no error")
	}
	if err := pauser.Pause(t.Context(), "gateway@faults", time.Hour); err == nil {
		t.Error("holding a component for an hour: no error")
	}
}

// scales has two gateways share one limiter, two limiters serve one gateway, and
// none at all.
func (s *stand) scales(t *testing.T, system cluster.System, who string) {
	t.Helper()
	scaler, ok := system.(cluster.Scaler)
	if !ok {
		t.Skip("this provider scales nothing")
	}
	identity := s.identity(t, who)
	scale := func(component string, n int) {
		t.Helper()
		if err := scaler.Scale(t.Context(), component, n); err != nil {
			t.Fatal(err)
		}
		if now, err := scaler.Replicas(t.Context(), component); err != nil || now != n {
			t.Errorf("%s was scaled to %d, and there are %d, %v", component, n, now, err)
		}
	}
	hits := func(n int) (statuses []int) {
		t.Helper()
		// A connection each, so that every gateway has its turn.
		for i := range n {
			statuses = append(statuses, fire(t, s.Stack().Variants["several"].Gateway, s.set.Request(), identity, fmt.Sprint(who, i), 1)...)
		}
		return statuses
	}
	scale("gateway@several", 2)
	if got, want := hits(int(identity.Quota())+3), admitted(identity.Quota(), 3); !slices.Equal(got, want) {
		t.Errorf("two gateways: %v, want %v", got, want)
	}
	s.allGatewaysAsked(t, system, 2)
	scale("gateway@several", 1)
	if got := hits(2); !slices.Equal(got, admitted(0, 2)) {
		t.Errorf("one gateway again: %v, want that the quota is still spent", got)
	}
	scale("limitador@several", 2)
	// The new one has counted nothing.
	s.becomes(t, hits, http.StatusOK)
	s.becomes(t, hits, http.StatusTooManyRequests)
	scale("limitador@several", 0)
	s.becomes(t, hits, http.StatusOK)
	for range 4 {
		if got := hits(1); got[0] != http.StatusOK {
			t.Errorf("no limiter: %v, want that hits pass", got)
		}
	}
	scale("limitador@several", 1)
	s.becomes(t, hits, http.StatusTooManyRequests)
	if err := scaler.Scale(t.Context(), "limitador", 2); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a component of a variant that is not made for it: %v, want that it is unsupported", err)
	}
	if err := scaler.Scale(t.Context(), "limitador@several", 1000); err == nil {
		t.Error("a thousand limiters: no error")
	}
}

// allGatewaysAsked wants every gateway to have had hits.
func (s *stand) allGatewaysAsked(t *testing.T, system cluster.System, n int) {
	t.Helper()
	lister, ok := system.(cluster.GatewayLister)
	if !ok {
		return
	}
	stats, err := lister.GatewayStats(t.Context(), "several")
	if err != nil || len(stats) != n {
		t.Fatalf("gateways: %v, %v, want %d", stats, err, n)
	}
	reader := metrics.NewReader(nil)
	defer reader.Close()
	for _, address := range stats {
		if counters, err := reader.Gateway(t.Context(), address); err != nil || counters.Hits == 0 {
			t.Errorf("%s: %+v, %v, want hits", address, counters, err)
		}
	}
}

// becomes fires until a hit ends so.
func (s *stand) becomes(t *testing.T, hits func(int) []int, status int) {
	t.Helper()
	for began := time.Now(); hits(1)[0] != status; {
		if time.Since(began) > 5*probe.Timeout {
			t.Fatalf("no hit ends with %d", status)
		}
	}
}

// stepsClocks has a window end early, and goes back to the right time.
func (s *stand) stepsClocks(t *testing.T) {
	stepper, ok := s.System.(cluster.ClockStepper)
	if !ok {
		t.Skip("this provider sets no clocks")
	}
	window := s.identity(t, "ann").Limits[0].Window
	for s.status(t, "ann") != http.StatusTooManyRequests {
	}
	if err := stepper.StepClock(t.Context(), "limitador@faults", window); err != nil {
		t.Fatal(err)
	}
	if got := s.status(t, "ann"); got != http.StatusOK {
		t.Errorf("a window later by the limiter's clock: %d, want %d", got, http.StatusOK)
	}
	if err := stepper.StepClock(t.Context(), "limitador@faults", -window); err != nil {
		t.Fatal(err)
	}
	if err := stepper.StepClock(t.Context(), "gateway@faults", window); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a gateway's clock: %v, want that it is unsupported", err)
	}
	if err := stepper.StepClock(t.Context(), "limitador", window); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a clock of a variant that is not made for it: %v, want that it is unsupported", err)
	}
}
