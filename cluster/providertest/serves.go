package providertest

import (
	"net/http"
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

	t.Run("nobody's quota is spent", func(t *testing.T) { s.nobodysQuotaIsSpent(t, reader) })
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

// nobodysQuotaIsSpent: the policy's own callers are unknown to the limiter when a
// stack is up. Throw-away ones, by which a provider saw a 429, may be known.
func (s *stand) nobodysQuotaIsSpent(t *testing.T, reader *metrics.Reader) {
	for name, v := range s.Stack().Variants {
		for _, base := range s.limiters(t, name) {
			tally, err := reader.Limiter(t.Context(), base, v.UserLabel)
			if err != nil {
				t.Fatal(err)
			}
			for _, identity := range s.set.Identities() {
				if calls, seen := tally.Users[identity.Name]; seen {
					t.Errorf("%s: the limiter has seen %s before any hit: %+v", name, identity.Name, calls)
				}
			}
			for _, l := range s.set.LimitadorLimits() {
				counters, err := reader.Counters(t.Context(), base, l.Namespace)
				if err != nil {
					t.Fatal(err)
				}
				for _, counter := range counters {
					for _, value := range counter.SetVariables {
						if slices.ContainsFunc(s.set.Identities(), func(i tier.Identity) bool { return i.Name == value }) {
							t.Errorf("%s: a counter of %s before any hit: %+v", name, value, counter)
						}
					}
				}
			}
		}
	}
}

// limiters are the limiters of a variant as they are now.
func (s *stand) limiters(t *testing.T, variant string) []string {
	t.Helper()
	lister, err := cluster.As[cluster.LimiterLister](s.System)
	if err != nil {
		return s.Stack().Variants[variant].Limiters
	}
	urls, err := lister.Limiters(t.Context(), variant)
	if err != nil {
		t.Fatal(err)
	}
	return urls
}

// gateway reads a gateway's counters, as far as the system has them.
func gateway(t *testing.T, reader *metrics.Reader, v cluster.Variant) metrics.Gateway {
	t.Helper()
	if v.GatewayStats == "" {
		return metrics.Gateway{}
	}
	counters, err := reader.Gateway(t.Context(), v.GatewayStats)
	if err != nil {
		t.Fatal(err)
	}
	return counters
}

func (s *stand) admitsQuota(t *testing.T, reader *metrics.Reader) {
	up := s.Stack()
	v := up.Variants["policy"]
	ann := s.identity(t, "ann")
	const over = 2
	sent := int(ann.Quota()) + over
	before := gateway(t, reader, v)
	got := fire(t, v.Gateway, s.set.Request(), ann, "ann", sent)
	if want := admitted(ann.Quota(), over); !slices.Equal(got, want) {
		t.Fatalf("ann: %v, want %v", got, want)
	}

	var limiter metrics.Tally
	for _, base := range s.limiters(t, "policy") {
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
		after := gateway(t, reader, v)
		if after.Hits-before.Hits != int64(sent) || after.Denied-before.Denied != over || after.Errors != before.Errors {
			t.Errorf("gateway: %+v after %+v, want %d hits, %d denied, no errors more", after, before, sent, over)
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
	instances := v.PrometheusInstances
	if lister, err := cluster.As[cluster.InstanceLister](s.System); err == nil {
		if instances, err = lister.Instances(t.Context(), "policy"); err != nil {
			t.Fatal(err)
		}
	}
	prometheus, err := reader.Prometheus(s.Stack().Prometheus, v.UserLabel, instances...)
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
	issuer, err := cluster.As[cluster.IdentityIssuer](system)
	if err != nil {
		t.Skipf("this provider issues no identities: %v", err)
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
	editor, err := cluster.As[cluster.PolicyEditor](s.System)
	if err != nil {
		t.Skipf("this provider edits no policies: %v", err)
	}
	ben := s.identity(t, "ben")
	gateway := s.Stack().Variants["twin"].Gateway
	// A variant's own manifests: its objects may have other namespaces.
	twin, err := policy.Read(s.Stack().Variants["twin"].Dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := fire(t, gateway, s.set.Request(), ben, "ben", int(ben.Quota())+1); !slices.Equal(got, admitted(ben.Quota(), 1)) {
		t.Fatalf("ben before the edit: %v", got)
	}
	for _, edited := range []*policy.Set{twin.WithoutRateLimits(), twin} {
		if err := editor.Apply(t.Context(), "twin", edited); err != nil {
			t.Fatal(err)
		}
		const hits = 7
		want := admitted(hits, 0)
		if edited == twin {
			// A limit that was gone has lost its counters (sut.md 2.9).
			want = admitted(ben.Quota(), hits-ben.Quota())
		}
		if got := fire(t, gateway, s.set.Request(), ben, "ben", hits); !slices.Equal(got, want) {
			t.Errorf("ben after an edit: %v, want %v", got, want)
		}
	}
}

func (s *stand) restarts(t *testing.T, reader *metrics.Reader) {
	restarter, err := cluster.As[cluster.Restarter](s.System)
	if err != nil {
		t.Skipf("this provider restarts no components: %v", err)
	}
	before, err := reader.Instance(t.Context(), s.limiters(t, "policy")[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := restarter.Restart(t.Context(), "limitador"); err != nil {
		t.Fatal(err)
	}
	after, err := reader.Instance(t.Context(), s.limiters(t, "policy")[0])
	if err != nil {
		t.Fatal(err)
	}
	if before == after {
		t.Errorf("the limiter is %s before and after its restart", after)
	}
	s.limitsAgain(t)
	ann := s.identity(t, "ann")
	got := fire(t, s.Stack().Variants["policy"].Gateway, s.set.Request(), ann, "again", int(ann.Quota())+1)
	if want := admitted(ann.Quota(), 1); !slices.Equal(got, want) {
		t.Errorf("ann after the restart: %v, want %v: memory is lost with the process", got, want)
	}
	if err := restarter.Restart(t.Context(), "nobody"); err == nil {
		t.Error("restarting a component that does not exist: no error")
	}
}

// limitsAgain returns once the gateway hears the limiter: it may have to look up
// where that is now, and lets everything pass meanwhile.
func (s *stand) limitsAgain(t *testing.T) {
	t.Helper()
	ben := s.identity(t, "ben")
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		got := fire(t, s.Stack().Variants["policy"].Gateway, s.set.Request(), ben, "scout", int(ben.Quota())+1)
		if slices.Contains(got, http.StatusTooManyRequests) {
			return
		}
	}
	t.Fatalf("nobody was denied within %s after the restart", patience)
}
