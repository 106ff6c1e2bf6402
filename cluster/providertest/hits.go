package providertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// hitHeader carries a hit's id to the backend's journal.
const hitHeader = "X-Floodgate-Hit"

// body is a completion that any model server of the suite takes.
const body = `{"model":"random","prompt":"hello","max_tokens":5}`

// fire sends n hits one after the other and returns their statuses. Hit i has
// the id "<prefix>-i".
func fire(t *testing.T, gateway string, call policy.Request, identity tier.Identity, prefix string, n int) []int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var statuses []int
	for i := range n {
		request, err := http.NewRequestWithContext(t.Context(), call.Method, gateway+call.Path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.GetBody = nil
		if call.Host != "" {
			request.Host = call.Host
		}
		request.Header.Set("Content-Type", call.ContentType)
		request.Header.Set("Authorization", identity.Credential.Name+" "+identity.Key.Reveal())
		request.Header.Set(hitHeader, hit(prefix, i))
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		statuses = append(statuses, answer.StatusCode)
	}
	return statuses
}

func hit(prefix string, i int) string { return fmt.Sprintf("%s-%d", prefix, i) }

// admitted is n times 200, then rest times 429.
func admitted(n, rest int64) []int {
	var statuses []int
	for range n {
		statuses = append(statuses, http.StatusOK)
	}
	for range rest {
		statuses = append(statuses, http.StatusTooManyRequests)
	}
	return statuses
}

// busy is an address on which somebody else listens until the test ends.
func busy(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// Hit sends one hit on a connection of its own and returns its status.
func Hit(t *testing.T, gateway string, call policy.Request, identity tier.Identity) int {
	t.Helper()
	return fire(t, gateway, call, identity, t.Name(), 1)[0]
}
