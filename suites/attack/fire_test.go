package attack_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

const secret = "s3cr3t-0f-al1ce/+&"

// alice is an identity like the seed's.
func alice() tier.Identity {
	return tier.Identity{
		Name: "premiumuser1", Tier: "premium", Key: secret,
		Credential: tier.Credential{Place: tier.AuthorizationHeader, Name: "APIKEY"},
	}
}

// at is an attack of alice's on a completion.
func at(url string, hits int, pacer attack.Pacer) attack.Attack {
	return attack.Attack{
		As: alice(), Hits: hits, Pacer: pacer,
		Target: attack.Target{URL: url, Path: "/v1/completions", Bodies: [][]byte{[]byte(`{"model":"random"}`)}},
	}
}

func newLedger(t *testing.T) (ledger *evidence.Ledger, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "B02.jsonl")
	ledger, err := evidence.Create(path, evidence.Header{Case: "B02"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	return ledger, path
}

// fire carries out a, which must succeed, and is what its ledger says.
func fire(t *testing.T, a attack.Attack) (attack.Report, []evidence.Entry) {
	t.Helper()
	ledger, path := newLedger(t)
	report, err := attack.Fire(t.Context(), a, ledger, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report, entries(t, ledger, path)
}

func entries(t *testing.T, ledger *evidence.Ledger, path string) []evidence.Entry {
	t.Helper()
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	_, entries, err := evidence.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// server counts the hits that it gets by id, and how many are there at once.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	seen     map[string]int
	inFlight atomic.Int64
	most     atomic.Int64
}

// serve starts a server that configure may change before.
func serve(t *testing.T, handle http.HandlerFunc, configure ...func(*http.Server)) *server {
	t.Helper()
	s := &server{seen: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.inFlight.Add(1)
		defer s.inFlight.Add(-1)
		for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
		}
		s.mu.Lock()
		s.seen[r.Header.Get(evidence.HitHeader)]++
		s.mu.Unlock()
		handle(w, r)
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	for _, change := range configure {
		change(s.Config)
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// hits is how often each id was served.
func (s *server) hits() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

// counting counts a server's connections.
func counting(opened *atomic.Int64) func(*http.Server) {
	return func(s *http.Server) {
		s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
			opened.Add(1)
			return ctx
		}
	}
}

func ok(http.ResponseWriter, *http.Request) {}

func TestEveryPacerFiresExactlyItsHits(t *testing.T) {
	for _, pacer := range []attack.Pacer{
		attack.OneAtATime, attack.Callers(7), attack.Rate(3000), attack.Together,
	} {
		for _, protocol := range []attack.Protocol{attack.HTTP1, attack.H2C} {
			for _, hits := range []int{1, 2, 100} {
				t.Run(fmt.Sprintf("%T(%v)/%s/%d", pacer, pacer, protocol, hits), func(t *testing.T) {
					s := serve(t, ok)
					a := at(s.URL, hits, pacer)
					a.Protocol = protocol
					report, entries := fire(t, a)

					if report.Planned != hits || report.Fired != hits || report.Outcomes[evidence.Admitted] != hits {
						t.Errorf("report %+v, want %d hits admitted", report, hits)
					}
					served := s.hits()
					if len(entries) != hits || len(served) != hits {
						t.Fatalf("%d entries, %d ids served; want %d", len(entries), len(served), hits)
					}
					fired := map[uint64]bool{}
					for _, e := range entries {
						if served[e.Hit] != 1 {
							t.Errorf("hit %s was served %d times", e.Hit, served[e.Hit])
						}
						if e.Seq >= uint64(hits) || fired[e.Seq] {
							t.Errorf("seq %d: out of range or twice", e.Seq)
						}
						fired[e.Seq] = true
						if e.Attack != "attack-1" || e.Identity != "premium/premiumuser1" || e.Status != 200 || e.Error != "" {
							t.Errorf("entry %+v", e)
						}
						if e.Due < 0 || e.Sent < e.Due || e.Received < e.Sent {
							t.Errorf("due %v, sent %v, received %v", e.Due, e.Sent, e.Received)
						}
						if e.Sent < report.Began || e.Received > report.Ended {
							t.Errorf("hit from %v to %v, attack from %v to %v", e.Sent, e.Received, report.Began, report.Ended)
						}
					}
				})
			}
		}
	}
}

func TestOneAtATimeWaitsForEachAnswer(t *testing.T) {
	s := serve(t, ok)
	_, entries := fire(t, at(s.URL, 200, attack.OneAtATime))
	for i, e := range entries {
		if e.Seq != uint64(i) {
			t.Fatalf("entry %d has seq %d", e.Number, e.Seq)
		}
		if i > 0 && e.Sent < entries[i-1].Received {
			t.Errorf("hit %d left at %v, before the answer at %v", i, e.Sent, entries[i-1].Received)
		}
	}
	if s.most.Load() != 1 {
		t.Errorf("%d hits at once", s.most.Load())
	}
}

func TestCallersFireSideBySideAndNoMore(t *testing.T) {
	const callers = 5
	var gathered sync.WaitGroup
	gathered.Add(callers)
	var came atomic.Int64
	s := serve(t, func(http.ResponseWriter, *http.Request) {
		if came.Add(1) <= callers {
			gathered.Done()
			gathered.Wait()
		}
	})
	fire(t, at(s.URL, 100, attack.Callers(callers)))
	if s.most.Load() != callers {
		t.Errorf("%d hits at once, want %d", s.most.Load(), callers)
	}
}

// The server answers nobody before everybody is there.
func TestTogetherHasAllHitsInFlightAtOnce(t *testing.T) {
	for _, protocol := range []attack.Protocol{attack.HTTP1, attack.H2C} {
		t.Run(string(protocol), func(t *testing.T) {
			const hits = 60
			var gathered sync.WaitGroup
			gathered.Add(hits)
			s := serve(t, func(http.ResponseWriter, *http.Request) {
				gathered.Done()
				gathered.Wait()
			})
			a := at(s.URL, hits, attack.Together)
			a.Protocol = protocol
			report, entries := fire(t, a)
			if report.Outcomes[evidence.Admitted] != hits {
				t.Fatalf("outcomes %v", report.Outcomes)
			}
			for _, e := range entries {
				if e.Due == 0 || e.Due != entries[0].Due {
					t.Errorf("hit %d was released at %v, hit %d at %v", e.Seq, e.Due, entries[0].Seq, entries[0].Due)
				}
			}
		})
	}
}

func TestKeepAliveIsAChoice(t *testing.T) {
	for _, tc := range []struct {
		name        string
		choose      func(*attack.Attack)
		connections int64
	}{
		{"kept", func(*attack.Attack) {}, 1},
		{"one for each hit", func(a *attack.Attack) { a.NoKeepAlive = true }, 10},
		{"h2c", func(a *attack.Attack) { a.Protocol = attack.H2C }, 1},
		{"capped", func(a *attack.Attack) { a.Pacer, a.Connections = attack.Together, 3 }, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var opened atomic.Int64
			s := serve(t, ok, counting(&opened))
			a := at(s.URL, 10, attack.OneAtATime)
			tc.choose(&a)
			fire(t, a)
			if opened.Load() != tc.connections {
				t.Errorf("%d connections, want %d", opened.Load(), tc.connections)
			}
		})
	}
}

func TestConnectionsComeFromTheAddressThatIsSaid(t *testing.T) {
	const second = "127.0.0.2"
	listener, err := net.Listen("tcp", net.JoinHostPort(second, "0"))
	if err != nil {
		t.Skipf("this machine has one address on the loopback: %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	for _, protocol := range []attack.Protocol{attack.HTTP1, attack.H2C} {
		var got atomic.Value
		s := serve(t, func(_ http.ResponseWriter, r *http.Request) { got.Store(r.RemoteAddr) })
		a := at(s.URL, 1, attack.OneAtATime)
		a.From, a.Protocol = second, protocol
		fire(t, a)
		if host, _, err := net.SplitHostPort(fmt.Sprint(got.Load())); err != nil || host != second {
			t.Errorf("%s: the hit came from %v, want %s", protocol, got.Load(), second)
		}
	}
}

func TestRedirectsAreAnswers(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	_, entries := fire(t, at(s.URL, 3, attack.OneAtATime))
	for _, e := range entries {
		if e.Status != http.StatusFound || e.Outcome != evidence.Failed {
			t.Errorf("entry %+v", e)
		}
	}
	if len(s.hits()) != 3 {
		t.Errorf("%d requests served, want 3", len(s.hits()))
	}
}

func TestAttacksOfALedgerShareItsClockAndHaveTheirOwnIDs(t *testing.T) {
	s := serve(t, ok)
	ledger, path := newLedger(t)
	for range 2 {
		if _, err := attack.Fire(t.Context(), at(s.URL, 5, attack.OneAtATime), ledger, nil); err != nil {
			t.Fatal(err)
		}
	}
	var last time.Duration
	for _, e := range entries(t, ledger, path) {
		if e.Sent < last {
			t.Errorf("entry %d was sent at %v, the one before was received at %v", e.Number, e.Sent, last)
		}
		last = e.Received
	}
	if len(s.hits()) != 10 {
		t.Errorf("%d ids served, want 10", len(s.hits()))
	}
}

func TestProgressEndsWithAllHits(t *testing.T) {
	s := serve(t, ok)
	ledger, _ := newLedger(t)
	var told []int
	if _, err := attack.Fire(t.Context(), at(s.URL, 50, attack.OneAtATime), ledger, func(done int) { told = append(told, done) }); err != nil {
		t.Fatal(err)
	}
	if told[len(told)-1] != 50 {
		t.Errorf("told %v", told)
	}
}

func TestNothingIsFiredThatCannotBeWritten(t *testing.T) {
	s := serve(t, ok)
	ledger, _ := newLedger(t)
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := attack.Fire(t.Context(), at(s.URL, 100, attack.OneAtATime), ledger, nil); err == nil {
		t.Error("an attack without a ledger succeeded")
	}
	if len(s.hits()) != 1 {
		t.Errorf("%d hits fired after the first entry had failed", len(s.hits())-1)
	}
}
