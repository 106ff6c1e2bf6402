package providertest

import (
	"slices"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// serves tries one stack with two variants.
func (c Contract) serves(t *testing.T) {
	options := c.options(t)
	options.Variants = append(options.Variants, cluster.VariantSpec{Name: "twin", Dir: options.Variants[0].Dir})
	s := c.up(t, options)
	up := s.Stack()
	if up.Provider != s.provider.Name() {
		t.Errorf("the stack is of provider %q, want %q", up.Provider, s.provider.Name())
	}
	reader := metrics.NewReader(nil)
	t.Cleanup(reader.Close)

	t.Run("its books begin at zero", func(t *testing.T) { s.booksBeginAtZero(t, reader) })
	t.Run("admits a quota and no more, by the books too", func(t *testing.T) { s.admitsQuota(t, reader) })
	t.Run("variants count apart", func(t *testing.T) {
		ann := s.identity(t, "ann")
		got := fire(t, up.Variants["twin"].Gateway, s.set.Request(), ann, "twin", int(ann.Quota())+1)
		if want := admitted(ann.Quota(), 1); !slices.Equal(got, want) {
			t.Errorf("ann on the twin: %v, want %v", got, want)
		}
	})
	t.Run("issues identities", func(t *testing.T) { s.issues(t, s.System, "carl") })
	t.Run("issues identities for an attached process", func(t *testing.T) {
		attached, err := s.provider.Attach(t.Context(), up)
		if err != nil {
			t.Fatal(err)
		}
		s.issues(t, attached, "dora")
		if err := attached.Down(t.Context()); err != nil {
			t.Error(err)
		}
		s.issues(t, s.System, "emil")
	})
	t.Run("edits policies", s.editsPolicies)
	t.Run("restarts a component", func(t *testing.T) { s.restarts(t, reader) })
	t.Run("nothing died", func(t *testing.T) {
		select {
		case death := <-s.Died():
			t.Errorf("%s died: %v\n%s", death.Component, death.Cause, death.Log)
		default:
		}
	})
}

// booksBeginAtZero: bringing a stack up spends nobody's quota.
func (s *stand) booksBeginAtZero(t *testing.T, reader *metrics.Reader) {
	for name, v := range s.Stack().Variants {
		for _, base := range v.Limiters {
			tally, err := reader.Limiter(t.Context(), base, v.UserLabel)
			if err != nil {
				t.Fatal(err)
			}
			if len(tally.Users) > 0 {
				t.Errorf("%s: the limiter has seen %v before any hit", name, tally.Users)
			}
			for _, l := range s.set.LimitadorLimits() {
				counters, err := reader.Counters(t.Context(), base, l.Namespace)
				if err != nil || len(counters) > 0 {
					t.Errorf("%s: counters of %s before any hit: %v, %v", name, l.Namespace, counters, err)
				}
			}
		}
	}
}

func (s *stand) admitsQuota(t *testing.T, reader *metrics.Reader) {
	up := s.Stack()
	v := up.Variants["policy"]
	ann := s.identity(t, "ann")
	const over = 2
	sent := int(ann.Quota()) + over
	got := fire(t, v.Gateway, s.set.Request(), ann, "ann", sent)
	if want := admitted(ann.Quota(), over); !slices.Equal(got, want) {
		t.Fatalf("ann: %v, want %v", got, want)
	}

	var limiter metrics.Tally
	for _, base := range v.Limiters {
		one, err := reader.Limiter(t.Context(), base, v.UserLabel)
		if err != nil {
			t.Fatal(err)
		}
		limiter = limiter.Plus(one)
	}
	want := metrics.Calls{Authorized: ann.Quota(), Limited: over, Hits: ann.Quota()}
	if v.UserLabel != "" && limiter.Users["ann"] != want {
		t.Errorf("limiter: %+v of ann, want %+v", limiter.Users["ann"], want)
	}
	if v.GatewayStats != "" {
		counters, err := reader.Gateway(t.Context(), v.GatewayStats)
		if err != nil || counters.Hits != int64(sent) || counters.Denied != over || counters.Errors != 0 {
			t.Errorf("gateway: %+v, %v, want %d hits, %d denied, no errors", counters, err, sent, over)
		}
	}
	if v.Journal != "" {
		ids := make([]string, sent)
		served := map[string]int{}
		for i := range ids {
			ids[i] = hit("ann", i)
			if served[ids[i]] = 1; i >= int(ann.Quota()) {
				served[ids[i]] = 0
			}
		}
		journal, err := reader.Journal(t.Context(), v.Journal, ids)
		if err != nil {
			t.Fatal(err)
		}
		for id, n := range served {
			if journal.Hits[id] != n {
				t.Errorf("journal: hit %s served %d times, want %d", id, journal.Hits[id], n)
			}
		}
	}
	s.prometheusAgrees(t, reader, want)
}

// prometheusAgrees waits for a scrape after the hits.
func (s *stand) prometheusAgrees(t *testing.T, reader *metrics.Reader, want metrics.Calls) {
	v := s.Stack().Variants["policy"]
	if s.Stack().Prometheus == "" {
		return
	}
	prometheus, err := reader.Prometheus(s.Stack().Prometheus, v.UserLabel, v.PrometheusInstances...)
	if err != nil {
		t.Fatal(err)
	}
	fired := time.Now()
	after, err := prometheus.After(t.Context(), fired)
	if err != nil {
		t.Fatal(err)
	}
	if !after.Began.After(fired) {
		t.Errorf("the scrape began at %v, not after %v", after.Began, fired)
	}
	if after.Users["ann"] != want {
		t.Errorf("prometheus: %+v of ann, want %+v", after.Users["ann"], want)
	}
}

// issues gives a fresh caller a key and lets it spend its whole quota.
func (s *stand) issues(t *testing.T, system cluster.System, name string) {
	t.Helper()
	issuer, ok := system.(cluster.IdentityIssuer)
	if !ok {
		t.Skip("this provider issues no identities")
	}
	identity, secret, err := s.set.Mint("silver", name, tier.Key("key-of-"+name+"-for-tests"))
	if err != nil {
		t.Fatal(err)
	}
	if err := issuer.Issue(t.Context(), "policy", identity, secret); err != nil {
		t.Fatal(err)
	}
	got := fire(t, s.Stack().Variants["policy"].Gateway, s.set.Request(), identity, name, int(identity.Quota())+1)
	if want := admitted(identity.Quota(), 1); !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
	if err := issuer.Issue(t.Context(), "nowhere", identity, secret); err == nil {
		t.Error("issuing in a variant that does not exist: no error")
	}
}

func (s *stand) editsPolicies(t *testing.T) {
	editor, ok := s.System.(cluster.PolicyEditor)
	if !ok {
		t.Skip("this provider edits no policies")
	}
	ben := s.identity(t, "ben")
	gateway := s.Stack().Variants["twin"].Gateway
	if got := fire(t, gateway, s.set.Request(), ben, "ben", int(ben.Quota())+1); !slices.Equal(got, admitted(ben.Quota(), 1)) {
		t.Fatalf("ben before the edit: %v", got)
	}
	for _, edited := range []*policy.Set{s.set.WithoutRateLimits(), s.set} {
		if err := editor.Apply(t.Context(), "twin", edited); err != nil {
			t.Fatal(err)
		}
		const hits = 7
		want := admitted(hits, 0)
		if edited == s.set {
			// A limit that was gone has lost its counters (sut.md 2.9).
			want = admitted(ben.Quota(), hits-ben.Quota())
		}
		if got := fire(t, gateway, s.set.Request(), ben, "ben", hits); !slices.Equal(got, want) {
			t.Errorf("ben after an edit: %v, want %v", got, want)
		}
	}
}

func (s *stand) restarts(t *testing.T, reader *metrics.Reader) {
	restarter, ok := s.System.(cluster.Restarter)
	if !ok {
		t.Skip("this provider restarts no components")
	}
	base := s.Stack().Variants["policy"].Limiters[0]
	before, err := reader.Instance(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	if err := restarter.Restart(t.Context(), "limitador"); err != nil {
		t.Fatal(err)
	}
	after, err := reader.Instance(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	if before == after {
		t.Errorf("the limiter is %s before and after its restart", after)
	}
	ann := s.identity(t, "ann")
	got := fire(t, s.Stack().Variants["policy"].Gateway, s.set.Request(), ann, "again", int(ann.Quota())+1)
	if want := admitted(ann.Quota(), 1); !slices.Equal(got, want) {
		t.Errorf("ann after the restart: %v, want %v: memory is lost with the process", got, want)
	}
	if err := restarter.Restart(t.Context(), "nobody"); err == nil {
		t.Error("restarting a component that does not exist: no error")
	}
}
