package harness

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// stackOnly is a system without any capability.
type stackOnly struct{ cluster.System }

func (stackOnly) Stack() cluster.Stack { return cluster.Stack{Provider: "none"} }

func givenBed(t *testing.T, dir string, limiters ...string) *Bed {
	t.Helper()
	events, err := openEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	reader := metrics.NewReader(nil)
	t.Cleanup(func() { reader.Close(); _ = events.close() })
	return &Bed{
		run:     &run{dir: dir, system: stackOnly{}, reader: reader, events: events, spec: &spec{name: "B01"}},
		variant: cluster.Variant{Name: Policy, Limiters: limiters},
	}
}

func TestGivenIdentitiesAreOneCasesAtATime(t *testing.T) {
	dir := t.TempDir()
	first, second := givenBed(t, dir), givenBed(t, dir)
	held, err := first.claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 3*claimPoll)
	defer cancel()
	if _, err := second.claim(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second case got the claims of the first: %v", err)
	}
	got := make(chan error, 1)
	go func() {
		claims, err := second.claim(t.Context())
		if err == nil {
			err = claims.release()
		}
		got <- err
	}()
	if err := held.release(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-got:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the second case never got them")
	}
	follow, err := FollowEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer follow.Close()
	event, ok, err := follow.Next()
	if err != nil || !ok || event.Kind != CaseWaits {
		t.Errorf("the wait was not shown: %+v, %v, %v", event, ok, err)
	}
}

func ada() tier.Identity {
	return tier.Identity{Name: "ada", Tier: "free", Limits: []tier.Limit{
		{ID: "limit.free__1", Scope: "llm-d/model", Quota: 2, Unit: tier.Hits, Window: 2 * time.Minute, Counters: []string{"auth.identity.userid"}},
	}}
}

func TestExpiry(t *testing.T) {
	counter := func(id, scope, user string, expires uint64) metrics.Counter {
		c := metrics.Counter{Limit: metrics.Limit{Namespace: scope, Conditions: []string{`descriptors[0]["` + id + `"] == "1"`}}, ExpiresIn: expires}
		if user != "" {
			c.SetVariables = map[string]string{`descriptors[0]["auth.identity.userid"]`: user}
		}
		return c
	}
	for name, test := range map[string]struct {
		counters []metrics.Counter
		want     time.Duration
	}{
		"no counter":                  {nil, 0},
		"her own":                     {[]metrics.Counter{counter("limit.free__1", "llm-d/model", "ada", 7)}, 8 * time.Second},
		"about to end":                {[]metrics.Counter{counter("limit.free__1", "llm-d/model", "ada", 0)}, time.Second},
		"the longest of two":          {[]metrics.Counter{counter("limit.free__1", "llm-d/model", "ada", 7), counter("limit.free__1", "llm-d/model", "ada", 90)}, 91 * time.Second},
		"somebody else's":             {[]metrics.Counter{counter("limit.free__1", "llm-d/model", "bob", 7)}, 0},
		"everybody's":                 {[]metrics.Counter{counter("limit.free__1", "llm-d/model", "", 7)}, 8 * time.Second},
		"of a limit that is not hers": {[]metrics.Counter{counter("limit.gold__2", "llm-d/model", "ada", 7)}, 0},
		"of another variant":          {[]metrics.Counter{counter("limit.free__1", "llm-d-twin/model", "ada", 7)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := expiry(test.counters, ada()); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestCountersOfEveryLimiterAreRead(t *testing.T) {
	server := func(body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.EscapedPath() != "/counters/llm-d%2Fmodel" {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	const live = `[{"limit":{"namespace":"llm-d/model","max_value":2,"seconds":120,"conditions":["descriptors[0][\"limit.free__1\"] == \"1\""],"variables":[]},
		"set_variables":{"u":"ada"},"remaining":1,"expires_in_seconds":40}]`
	empty, busy := server("[]"), server(live)
	dir := t.TempDir()
	for name, test := range map[string]struct {
		limiters []string
		left     time.Duration
		read     bool
	}{
		"empty everywhere":  {[]string{empty, empty}, 0, true},
		"live on the other": {[]string{empty, busy}, 41 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			if left, read := givenBed(t, dir, test.limiters...).liveFor(t.Context(), ada()); left != test.left || read != test.read {
				t.Errorf("got %s, %v, want %s, %v", left, read, test.left, test.read)
			}
		})
	}
}

func TestUnreadableCountersCostAWindow(t *testing.T) {
	dir := t.TempDir()
	bed := givenBed(t, dir, "http://127.0.0.1:1")
	session := filepath.Join(dir, sessionFile)
	if err := os.WriteFile(session, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if left, read := bed.liveFor(t.Context(), ada()); read || left < 119*time.Second || left > 121*time.Second {
		t.Errorf("at the run's beginning: %s, %v", left, read)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(session, long, long); err != nil {
		t.Fatal(err)
	}
	if left, read := bed.liveFor(t.Context(), ada()); read || left != 0 {
		t.Errorf("an hour into the run: %s, %v", left, read)
	}
	if err := os.MkdirAll(filepath.Join(dir, givenDir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := bed.used(ada()); err != nil {
		t.Fatal(err)
	}
	if left, _ := bed.liveFor(t.Context(), ada()); left < 119*time.Second {
		t.Errorf("after a use just now: %s", left)
	}
	bob := ada()
	bob.Name = "bob"
	if left, _ := bed.liveFor(t.Context(), bob); left != 0 {
		t.Errorf("of one that was not used: %s", left)
	}
	chosen, left, _ := bed.soonest(t.Context(), []tier.Identity{ada(), bob})
	if chosen.Name != "bob" || left != 0 {
		t.Errorf("chosen: %s after %s", chosen, left)
	}
}

func TestCountersAreSeenToBeUnused(t *testing.T) {
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) }))
	t.Cleanup(empty.Close)
	if !givenBed(t, t.TempDir(), empty.URL).AwaitUnused(t.Context(), ada()) {
		t.Error("no counter lives, and that was not seen")
	}
	if givenBed(t, t.TempDir(), "http://127.0.0.1:1").AwaitUnused(t.Context(), ada()) {
		t.Error("what cannot be read was taken for unused")
	}
}
