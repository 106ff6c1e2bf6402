package attack_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

func TestHowAHitEnds(t *testing.T) {
	const upstream = "X-Envoy-Upstream-Service-Time"
	for _, tc := range []struct {
		name    string
		status  int
		header  map[string]string
		outcome evidence.Outcome
		from    string
	}{
		{"admitted through the gateway", 200, map[string]string{upstream: "12", "Content-Type": "application/json"}, evidence.Admitted, evidence.FromBackend},
		{"admitted without a gateway", 201, map[string]string{"Content-Type": "text/event-stream"}, evidence.Admitted, evidence.FromBackend},
		{"denied by the filter", 429, map[string]string{"Content-Type": "text/plain"}, evidence.Denied, evidence.FromGateway},
		{"denied without a type", 429, nil, evidence.Denied, evidence.FromGateway},
		{"the simulator's own 429", 429, map[string]string{upstream: "0", "Content-Type": "application/json"}, evidence.Failed, evidence.FromBackend},
		{"the same in plain text", 429, map[string]string{upstream: "3", "Content-Type": "text/plain"}, evidence.Failed, evidence.FromBackend},
		{"429 as JSON, Envoy's header suppressed", 429, map[string]string{"Content-Type": "application/json; charset=utf-8"}, evidence.Failed, evidence.FromBackend},
		{"429 as problem+json", 429, map[string]string{"Content-Type": "application/problem+json"}, evidence.Failed, evidence.FromBackend},
		{"429 of fasthttp", 429, map[string]string{"Server": "fasthttp", "Content-Type": "text/plain"}, evidence.Failed, evidence.FromBackend},
		{"no credential", 401, nil, evidence.Refused, evidence.FromGateway},
		{"refused by a policy with a JSON body", 403, map[string]string{"Content-Type": "application/json"}, evidence.Refused, evidence.FromGateway},
		{"refused by the backend", 401, map[string]string{upstream: "1"}, evidence.Refused, evidence.FromBackend},
		{"authorizer down", 500, map[string]string{"Content-Type": "text/plain"}, evidence.Failed, evidence.FromGateway},
		{"backend down", 503, map[string]string{upstream: "5"}, evidence.Failed, evidence.FromBackend},
		{"denied with another status", 503, nil, evidence.Failed, evidence.FromGateway},
		{"not modified", 304, nil, evidence.Failed, evidence.FromGateway},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil // none unless set below
				for name, value := range tc.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tc.status)
			})
			report, entries := fire(t, at(s.URL, 1, attack.OneAtATime))
			e := entries[0]
			if e.Outcome != tc.outcome || e.From != tc.from || e.Status != tc.status || e.Error != "" || e.Answer != nil {
				t.Errorf("%s by %q, %d, %q; want %s by %q", e.Outcome, e.From, e.Status, e.Error, tc.outcome, tc.from)
			}
			if report.Outcomes[tc.outcome] != 1 {
				t.Errorf("outcomes %v", report.Outcomes)
			}
		})
	}
}

func TestAnswersAreKeptWhereTheirFormIsJudged(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("X-RateLimit-Limit", "10, 10;w=120")
		w.Header().Add("X-RateLimit-Limit", "twice")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, strings.Repeat("Too Many Requests\n", 1000))
	})
	a := at(s.URL, 2, attack.OneAtATime)
	a.KeepAnswers = true
	_, entries := fire(t, a)
	for _, e := range entries {
		if got := e.Answer.Header["X-Ratelimit-Limit"]; len(got) != 2 || got[0] != "10, 10;w=120" || got[1] != "twice" {
			t.Errorf("header %v", e.Answer.Header)
		}
		if want := strings.Repeat("Too Many Requests\n", 1000)[:512]; e.Answer.Body != want {
			t.Errorf("body of %d bytes: %q", len(e.Answer.Body), e.Answer.Body)
		}
	}
}

func TestConnectionIsReusedAfterALongAnswer(t *testing.T) {
	var opened atomic.Int64
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 1<<20))
	}, counting(&opened))
	fire(t, at(s.URL, 5, attack.OneAtATime))
	if opened.Load() != 1 {
		t.Errorf("%d connections, want 1: an answer was not read to its end", opened.Load())
	}
}

func TestAnAnswerThatBreaksOffWasDecided(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "short")
	})
	_, entries := fire(t, at(s.URL, 1, attack.OneAtATime))
	if e := entries[0]; e.Outcome != evidence.Admitted || e.Status != 200 || e.Error != "unexpected EOF" {
		t.Errorf("entry %+v", e)
	}
}

func TestLostHitsSayWhyInPlainWords(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	hangUp := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for _, tc := range []struct {
		name, url, want string
		pacer           attack.Pacer
	}{
		{"nobody listens", "http://" + nobody.Addr().String(), "dial: connection refused", attack.OneAtATime},
		{"nobody listens to a burst", "http://" + nobody.Addr().String(), "dial: connection refused", attack.Together},
		{"hung up", hangUp.URL, "the connection was closed without an answer", attack.OneAtATime},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := at(tc.url, 3, tc.pacer)
			a.As.Credential = tier.Credential{Place: tier.QueryString, Name: "api_key"}
			_, entries := fire(t, a)
			for _, e := range entries {
				if e.Outcome != evidence.Lost || e.Error != tc.want {
					t.Errorf("%s: %q, want %q", e.Outcome, e.Error, tc.want)
				}
			}
		})
	}
}

// written is the text of the ledger that an attack leaves.
func written(t *testing.T, a attack.Attack) string {
	t.Helper()
	ledger, path := newLedger(t)
	if _, err := attack.Fire(t.Context(), a, ledger, nil); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A hostile or merely talkative system under test sends the key back wherever
// it can.
func TestNoKeyReachesTheLedger(t *testing.T) {
	escaped := "s3cr3t-0f-al1ce%2F%2B%26"
	echo := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Echo", "you sent "+secret+" and "+escaped)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, "unknown key "+secret+strings.Repeat(".", 512-22-len(secret))+secret)
	})
	garbled := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("APIKEY " + secret + "\r\n\r\n"))
			_ = conn.Close()
		}
	})
	for _, url := range []string{echo.URL, garbled.URL, "http://127.0.0.1:1"} {
		for _, place := range []tier.Place{tier.AuthorizationHeader, tier.CustomHeader, tier.QueryString, tier.Cookie} {
			a := at(url, 2, attack.OneAtATime)
			a.KeepAnswers = true
			a.As.Credential = tier.Credential{Place: place, Name: "apikey"}
			text := written(t, a)
			for _, part := range []string{secret, escaped, secret[:8]} {
				if strings.Contains(strings.ReplaceAll(text, `\u0026`, "&"), part) {
					t.Errorf("%s at %s: the ledger has %q:\n%s", place, url, part, text)
				}
			}
			if url != "http://127.0.0.1:1" && !strings.Contains(text, "[redacted]") {
				t.Errorf("%s at %s: nothing was sent back:\n%s", place, url, text)
			}
		}
	}
}

// A forged credential may be nearly a key: it is hidden like one, and its scheme,
// which a challenge names, is not.
func TestForgedKeyIsHiddenAndItsSchemeIsNot(t *testing.T) {
	echo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Www-Authenticate", "APIKEY realm=demo")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, r.Header, r.URL.RawQuery)
	})
	near := secret[:len(secret)-1]
	for _, tc := range []struct {
		credential tier.Credential
		forged     string
	}{
		{tier.Credential{Place: tier.AuthorizationHeader, Name: "APIKEY"}, "APIKEY " + near},
		{tier.Credential{Place: tier.AuthorizationHeader, Name: "APIKEY"}, "APIKEY"},
		{tier.Credential{Place: tier.CustomHeader, Name: "x-key"}, near},
		{tier.Credential{Place: tier.CustomHeader, Name: "x-key"}, "Bearer " + near},
		{tier.Credential{Place: tier.QueryString, Name: "key"}, near},
	} {
		a := at(echo.URL, 1, attack.OneAtATime)
		a.KeepAnswers, a.As, a.Forged = true, tier.Identity{Credential: tc.credential}, &tc.forged
		text := written(t, a)
		if strings.Contains(text, near[:8]) || !strings.Contains(text, "APIKEY realm=demo") {
			t.Errorf("forged %q in a %s: the ledger has\n%s", tc.forged, tc.credential.Place, text)
		}
	}
}
