package attack_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// received is what the server got of one hit.
type received struct {
	method, target, host, body string
	header                     http.Header
	length                     int64
}

// fireAndSee fires hits one at a time and is what the server got.
func fireAndSee(t *testing.T, hits int, change func(*attack.Attack)) ([]received, []evidence.Entry) {
	t.Helper()
	var mu sync.Mutex
	var got []received
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, received{r.Method, r.RequestURI, r.Host, string(body), r.Header, r.ContentLength})
	})
	a := at(s.URL, hits, attack.OneAtATime)
	change(&a)
	_, entries := fire(t, a)
	mu.Lock()
	defer mu.Unlock()
	return got, entries
}

func TestCredentialIsWhereThePolicyWantsIt(t *testing.T) {
	place := func(place tier.Place, name string) func(*attack.Attack) {
		return func(a *attack.Attack) { a.As.Credential = tier.Credential{Place: place, Name: name} }
	}
	forged := func(change func(*attack.Attack), value string) func(*attack.Attack) {
		return func(a *attack.Attack) {
			change(a)
			a.Forged = &value
		}
	}
	huge := strings.Repeat("k", 8<<10)
	for _, tc := range []struct {
		name   string
		change func(*attack.Attack)
		header string
		want   []string
		target string
	}{
		{name: "authorization", change: place(tier.AuthorizationHeader, "APIKEY"), header: "Authorization", want: []string{"APIKEY " + secret}},
		{name: "custom header", change: place(tier.CustomHeader, "x-api-key"), header: "X-Api-Key", want: []string{secret}},
		{name: "cookie", change: place(tier.Cookie, "api_key"), header: "Cookie", want: []string{"api_key=" + secret}},
		{name: "query", change: place(tier.QueryString, "api_key"), header: "Authorization", target: "/v1/completions?api_key=s3cr3t-0f-al1ce%2F%2B%26"},
		{name: "query beside another", change: func(a *attack.Attack) {
			place(tier.QueryString, "api_key")(a)
			a.Target.Path += "?a=b"
		}, target: "/v1/completions?a=b&api_key=s3cr3t-0f-al1ce%2F%2B%26", header: "Authorization"},
		{name: "anonymous", change: func(a *attack.Attack) { a.Anonymous = true }, header: "Authorization"},
		{name: "wrong scheme", change: forged(place(tier.AuthorizationHeader, "APIKEY"), "Bearer x"), header: "Authorization", want: []string{"Bearer x"}},
		{name: "empty", change: forged(place(tier.AuthorizationHeader, "APIKEY"), ""), header: "Authorization", want: []string{""}},
		{name: "huge", change: forged(place(tier.AuthorizationHeader, "APIKEY"), "APIKEY "+huge), header: "Authorization", want: []string{"APIKEY " + huge}},
		{name: "forged in a header", change: forged(place(tier.CustomHeader, "X-Api-Key"), "nobody"), header: "X-Api-Key", want: []string{"nobody"}},
		{name: "twice", change: func(a *attack.Attack) {
			a.Header = http.Header{"Authorization": {"APIKEY other"}}
		}, header: "Authorization", want: []string{"APIKEY other", "APIKEY " + secret}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := fireAndSee(t, 1, tc.change)
			if tc.target == "" {
				tc.target = "/v1/completions"
			}
			if got[0].target != tc.target {
				t.Errorf("target %q, want %q", got[0].target, tc.target)
			}
			if values := got[0].header[tc.header]; strings.Join(values, "|") != strings.Join(tc.want, "|") || len(values) != len(tc.want) {
				t.Errorf("%s: %q, want %q", tc.header, values, tc.want)
			}
		})
	}
}

func TestTargetIsHitAsItStands(t *testing.T) {
	got, entries := fireAndSee(t, 4, func(a *attack.Attack) {
		a.Target.Host = "MODELS.example.com"
		a.Target.Path = "//v1/%63ompletions;x"
		a.Target.Bodies = [][]byte{[]byte(`{"model":"a"}`), []byte(`{"model":"b"}`)}
		a.Header = http.Header{"X-Userid": {"other"}, evidence.HitHeader: {"forged"}}
	})
	for i, r := range got {
		if r.method != http.MethodPost || r.host != "MODELS.example.com" || r.target != "//v1/%63ompletions;x" {
			t.Errorf("hit %d: %s %s of %s", i, r.method, r.target, r.host)
		}
		if want := []string{`{"model":"a"}`, `{"model":"b"}`}[i%2]; r.body != want || r.length != int64(len(want)) {
			t.Errorf("hit %d: body %q of length %d, want %q", i, r.body, r.length, want)
		}
		if r.header.Get("X-Userid") != "other" || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("hit %d: header %v", i, r.header)
		}
		if ids := r.header.Values(evidence.HitHeader); len(ids) != 1 || ids[0] != entries[i].Hit {
			t.Errorf("hit %d carries %q, its entry says %q", i, ids, entries[i].Hit)
		}
		for name := range r.header {
			if strings.HasPrefix(name, "X-Vegeta") || name == "Accept-Encoding" {
				t.Errorf("hit %d carries %s", i, name)
			}
		}
	}
}

func TestAbsoluteFormNamesTheHost(t *testing.T) {
	got, _ := fireAndSee(t, 2, func(a *attack.Attack) {
		a.Target.Host = "models.example.com"
		a.Target.Path = "/v1/completions"
		a.Target.AbsoluteForm = true
	})
	for i, r := range got {
		if r.target != "http://models.example.com/v1/completions" || r.host != "models.example.com" {
			t.Errorf("hit %d: %s of %s", i, r.target, r.host)
		}
	}
}

func TestAHitWithoutABodyHasNone(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		got, _ := fireAndSee(t, 1, func(a *attack.Attack) {
			a.Target.Method, a.Target.Bodies = method, nil
		})
		if got[0].method != method || got[0].length != 0 || got[0].header.Get("Content-Type") != "" {
			t.Errorf("%s: %+v", method, got[0])
		}
	}
}

func TestImpossiblePlansAreRefused(t *testing.T) {
	for _, tc := range []struct {
		change func(*attack.Attack)
		want   string
	}{
		{func(a *attack.Attack) { a.Name = "two words" }, `Name "two words"`},
		{func(a *attack.Attack) { a.Hits = 0 }, "Hits 0"},
		{func(a *attack.Attack) { a.Pacer = nil }, "Pacer: want"},
		{func(a *attack.Attack) { a.Pacer = attack.Rate(0) }, "Rate(0)"},
		{func(a *attack.Attack) { a.Pacer = attack.Callers(-1) }, "Callers(-1)"},
		{func(a *attack.Attack) { a.Timeout = -time.Second }, "Timeout -1s"},
		{func(a *attack.Attack) { a.Connections = -1 }, "Connections -1"},
		{func(a *attack.Attack) { a.Protocol = "h3" }, `Protocol "h3"`},
		{func(a *attack.Attack) { a.Protocol, a.NoKeepAlive = attack.H2C, true }, "NoKeepAlive"},
		{func(a *attack.Attack) { a.From = "localhost" }, "From"},
		{func(a *attack.Attack) { a.As.Key = "" }, "premium/premiumuser1 has no key"},
		{func(a *attack.Attack) { a.Anonymous, a.Forged = true, new(string) }, "Anonymous and Forged"},
		{func(a *attack.Attack) { a.As.Credential.Place = "" }, `a credential at ""`},
		{func(a *attack.Attack) { a.Target.URL = "127.0.0.1:80" }, "Target.URL"},
		{func(a *attack.Attack) { a.Target.Path = "v1" }, "Target.Path"},
		{func(a *attack.Attack) { a.Target.Method = http.MethodConnect }, "Target.Method CONNECT"},
		{func(a *attack.Attack) { a.Header = http.Header{"idempotency-key": {"1"}} }, "Header Idempotency-Key"},
	} {
		t.Run(tc.want, func(t *testing.T) {
			s := serve(t, ok)
			ledger, path := newLedger(t)
			a := at(s.URL, 3, attack.OneAtATime)
			tc.change(&a)
			report, err := attack.Fire(t.Context(), a, ledger, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if report.Fired != 0 || len(s.hits()) != 0 || len(entries(t, ledger, path)) != 0 {
				t.Errorf("fired all the same: %+v", report)
			}
		})
	}
}
