package metrics

import (
	"strings"
	"testing"
)

func TestParseGateway(t *testing.T) {
	for file, want := range map[string]Gateway{
		"gateway/kuadrant.txt": {Kuadrant, 34, 0, 34, 14, 0, 3},
		"gateway/envoy.txt":    {Envoy, 60, 0, 10, 50, 0, 0},
	} {
		got, err := ParseGateway(page(t, file))
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", file, got, want)
		}
	}
}

func TestParseGatewayEnvoyFailOpen(t *testing.T) {
	got, err := ParseGateway([]byte("envoy_cluster_ratelimit_ok 3\nenvoy_cluster_ratelimit_error 2\nenvoy_cluster_ratelimit_failure_mode_allowed 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Gateway{Envoy, 5, 0, 5, 0, 2, 0}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseGatewayWithoutCountersIsNoZero(t *testing.T) {
	_, err := ParseGateway([]byte("envoy_server_live 1\n"))
	if err == nil || !strings.Contains(err.Error(), "not loaded") {
		t.Errorf("got %v, want an error that says what is missing", err)
	}
}
