package targets

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func pod(called, ip string, phase corev1.PodPhase) corev1.Pod {
	return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: called, Namespace: "kuadrant-system"}, Status: corev1.PodStatus{PodIP: ip, Phase: phase}}
}

func TestTargetsAreTheRunningPods(t *testing.T) {
	answer := func(found []corev1.Pod, err error) *httptest.ResponseRecorder {
		pods := func(context.Context) ([]corev1.Pod, error) { return found, err }
		w := httptest.NewRecorder()
		handler(options{port: 8080}, pods, slog.New(slog.DiscardHandler)).
			ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		return w
	}
	got := answer([]corev1.Pod{
		pod("b", "10.0.0.2", corev1.PodRunning), pod("a", "fd00::1", corev1.PodRunning),
		pod("c", "", corev1.PodPending), pod("d", "10.0.0.3", corev1.PodSucceeded),
	}, nil)
	want := `[{"targets":["[fd00::1]:8080"],"labels":{"namespace":"kuadrant-system","pod":"a"}},` +
		`{"targets":["10.0.0.2:8080"],"labels":{"namespace":"kuadrant-system","pod":"b"}}]`
	if text := strings.TrimSpace(got.Body.String()); text != want || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answered %s (%s), want %s", text, got.Header().Get("Content-Type"), want)
	}
	if got := answer(nil, nil); strings.TrimSpace(got.Body.String()) != "[]" {
		t.Errorf("no pods: %q, want an empty list", got.Body)
	}
	if got := answer(nil, errors.New("no")); got.Code != http.StatusServiceUnavailable {
		t.Errorf("a list that fails: %d, want 503 so that Prometheus keeps what it has", got.Code)
	}
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		args string
		code int
	}{
		{"--selector a=b --namespace n", 2},
		{"--nope", 2},
		{"--help", 0},
		// Everything is there but the cluster.
		{"--selector a=b --namespace n --port 1", 1},
	} {
		if got := Main(t.Context(), strings.Fields(test.args), nil, io.Discard, io.Discard); got != test.code {
			t.Errorf("%s: exit %d, want %d", test.args, got, test.code)
		}
	}
}
