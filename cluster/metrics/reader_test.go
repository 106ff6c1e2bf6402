package metrics

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// serve answers the one path with a status and a body.
func serve(t *testing.T, path string, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != path {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func reader(t *testing.T) *Reader {
	t.Helper()
	r := NewReader(nil)
	t.Cleanup(r.Close)
	return r
}

func TestLimiter(t *testing.T) {
	base := serve(t, "/metrics", 200, string(page(t, "limitador/b1_labels_default_user_group.txt")))
	got, err := reader(t).Limiter(t.Context(), base, "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Users["freeuser1"] != (Calls{2, 1, 2}) {
		t.Errorf("freeuser1: %+v", got.Users["freeuser1"])
	}
}

func TestLimiterWithin(t *testing.T) {
	base := serve(t, "/metrics", 200, string(page(t, "limitador/b1_labels_default_user_group.txt")))
	all, err := reader(t).Limiter(t.Context(), base, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := reader(t).Within("llm-d/another").Limiter(t.Context(), base, "")
	if err != nil || got.Total != (Calls{}) || all.Total == (Calls{}) {
		t.Errorf("of another namespace %+v (%v), of all %+v", got.Total, err, all.Total)
	}
}

func TestInstanceNamesAddressAndStart(t *testing.T) {
	base := serve(t, "/status", 200, `{"started_at":"2026-11-23T00:12:00.010323897","config_applied_at":"2026-11-23T00:12:00.010323897","config_version":3,"config_err_since":1}`)
	r := reader(t)
	status, err := r.Status(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Status{time.Date(2026, 11, 23, 0, 12, 0, 10323897, time.UTC), 3, 1}); status != want {
		t.Errorf("status %+v, want %+v", status, want)
	}
	got, err := r.Instance(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimPrefix(base, "http://") + "@2026-11-23T00:12:00.010323897Z"; got != want {
		t.Errorf("instance %q, want %q", got, want)
	}
}

func TestStatusOfOldLimitadorIsAnError(t *testing.T) {
	base := serve(t, "/status", 200, "null")
	if _, err := reader(t).Status(t.Context(), base); err == nil || !strings.Contains(err.Error(), base+"/status") {
		t.Errorf("got %v, want an error that names the URL", err)
	}
}

func TestLimitsEscapesTheNamespace(t *testing.T) {
	base := serve(t, "/limits/ns%2Fwith%20slash", 200,
		`[{"id":null,"namespace":"ns/with slash","max_value":3,"seconds":60,"name":null,"conditions":[],"variables":[]}]`)
	got, err := reader(t).Limits(t.Context(), base, "ns/with slash")
	if err != nil {
		t.Fatal(err)
	}
	want := []Limit{{Namespace: "ns/with slash", MaxValue: 3, Seconds: 60, Conditions: []string{}, Variables: []string{}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCountersSurviveTheWrap(t *testing.T) {
	base := serve(t, "/counters/ns", 200, `[{"limit":{"id":null,"namespace":"ns","max_value":5,"seconds":60,"name":"one","conditions":[],`+
		`"variables":["descriptors[0][\"u\"]"]},"set_variables":{"descriptors[0][\"u\"]":"a"},"remaining":18446744073709551613,"expires_in_seconds":59}]`)
	got, err := reader(t).Counters(t.Context(), base, "ns")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || !got[0].Overshot() || got[0].ExpiresIn != 59 || got[0].SetVariables[`descriptors[0]["u"]`] != "a" {
		t.Errorf("got %+v, want one counter that was overshot", got)
	}
}

func TestJournalAnswersForEveryId(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ids []string
		if err := json.NewDecoder(r.Body).Decode(&ids); err != nil || r.Method != http.MethodPost {
			http.Error(w, "want a POST of ids", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"served":7,"hits":{"a":1,"stranger":4}}`)
	}))
	t.Cleanup(server.Close)
	got, err := reader(t).Journal(t.Context(), server.URL, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Journal{Served: 7, Hits: map[string]int{"a": 1, "b": 0}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestJournalRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"no served":       `{"hits":{}}`,
		"a negative sum":  `{"served":-1}`,
		"a negative hit":  `{"served":1,"hits":{"a":-1}}`,
		"a fraction":      `{"served":1.5}`,
		"another message": `"ok"`,
	} {
		base := serve(t, "/", 200, body)
		if got, err := reader(t).Journal(t.Context(), base, []string{"a"}); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func TestModelServer(t *testing.T) {
	base := serve(t, "/metrics", 200, string(page(t, "llmd/metrics.txt")))
	got, err := reader(t).ModelServer(t.Context(), base)
	if err != nil || got != 9 {
		t.Errorf("got %d, %v, want 9", got, err)
	}
	old := serve(t, "/metrics", 200, "vllm:num_requests_running{model_name=\"random\"} 0\n")
	if got, err := reader(t).ModelServer(t.Context(), old); err == nil {
		t.Errorf("v0.3.0: got %d, want an error", got)
	}
}

func TestErrorsNameTheURLAndTheAnswer(t *testing.T) {
	base := serve(t, "/metrics", 503, "upstream is gone")
	_, err := reader(t).Limiter(t.Context(), base, "")
	if err == nil || !strings.Contains(err.Error(), base+"/metrics") || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "upstream is gone") {
		t.Errorf("got %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/metrics", http.StatusFound))
	t.Cleanup(server.Close)
	if _, err := reader(t).Limiter(t.Context(), server.URL, ""); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("got %v, want the redirect's own status", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	endless := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(zeros{})}, nil
	})
	_, err := NewReader(endless).Limiter(t.Context(), "http://limiter", "")
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %v, want the bound", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
