package attack_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

func TestEveryOtherHitIsGivenUpBeforeItsAnswer(t *testing.T) {
	left := make(chan struct{}, 20)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get(evidence.HitHeader), "0") {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		left <- struct{}{}
	}))
	defer slow.Close()
	a := at(slow.URL, 5, attack.OneAtATime)
	a.GiveUpEvery, a.Timeout = 1, 20*time.Second
	a.Name = "given"
	report, got := fire(t, a)
	if report.Fired != 5 || report.Outcomes[evidence.Lost] < 4 {
		t.Errorf("%d hits fired, %v: want 5, all but one given up", report.Fired, report.Outcomes)
	}
	for _, e := range got {
		if e.Outcome == evidence.Lost && e.Error != "given up on purpose" {
			t.Errorf("hit %d: error %q", e.Seq, e.Error)
		}
	}
	for range report.Outcomes[evidence.Lost] - 1 {
		select {
		case <-left:
		case <-t.Context().Done():
			t.Fatal("the server does not see its callers leave")
		}
	}
}

func TestNobodyElseGivesUp(t *testing.T) {
	quick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer quick.Close()
	a := at(quick.URL, 9, attack.OneAtATime)
	a.GiveUpEvery = 3
	_, got := fire(t, a)
	for _, e := range got {
		if e.Seq%3 != 2 && e.Outcome != evidence.Admitted {
			t.Errorf("hit %d is %s: %s", e.Seq, e.Outcome, e.Error)
		}
	}
}

func TestTheEndOfABodyIsHeld(t *testing.T) {
	const hold = 300 * time.Millisecond
	var began atomic.Bool
	bodies := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began.Store(true)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		bodies <- string(body)
	}))
	defer server.Close()
	a := at(server.URL, 1, attack.OneAtATime)
	a.Target.HoldEnd = hold
	_, got := fire(t, a)
	if body := <-bodies; body != `{"model":"random"}` {
		t.Errorf("the body came as %q", body)
	}
	if took := got[0].Received - got[0].Sent; took < hold || got[0].Outcome != evidence.Admitted {
		t.Errorf("the hit took %v and was %s", took, got[0].Outcome)
	}
	if !began.Load() {
		t.Error("the request did not begin")
	}
}

func TestKeysOfSeveralCallers(t *testing.T) {
	bob := alice()
	bob.Key = "bob's-key"
	carol := tier.Identity{Key: "carol's-key", Credential: tier.Credential{Place: tier.QueryString, Name: "api_key"}}
	var headers []string
	var query string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers, query = r.Header["Authorization"], r.URL.Query().Get("api_key")
		_, _ = io.WriteString(w, strings.Join(append(headers, query), " "))
	}))
	defer server.Close()
	a := at(server.URL, 1, attack.OneAtATime)
	a.Also, a.KeepAnswers = []tier.Identity{bob, carol}, true
	_, got := fire(t, a)
	if strings.Join(headers, "|") != "APIKEY "+secret+"|APIKEY bob's-key" || query != "carol's-key" {
		t.Errorf("the server got %q and %q", headers, query)
	}
	for _, key := range []string{secret, "bob's-key", "carol's-key"} {
		if strings.Contains(got[0].Answer.Body, key) {
			t.Errorf("the ledger holds a key: %q", got[0].Answer.Body)
		}
	}
}

func TestWrongPatienceIsRefused(t *testing.T) {
	a := at("http://127.0.0.1:1", 1, attack.OneAtATime)
	a.GiveUpEvery, a.Target.HoldEnd = -1, time.Hour
	err := a.Check()
	for _, want := range []string{"GiveUpEvery -1", "Target.HoldEnd 1h0m0s"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want it to name %s", err, want)
		}
	}
}
