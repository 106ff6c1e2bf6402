package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTargetsTellMissingFromDown(t *testing.T) {
	const answer = `{"status":"success","data":{"activeTargets":[
		{"labels":{"instance":"a:1","job":"x"},"health":"up","lastError":""},
		{"labels":{"instance":"b:1","job":"x"},"health":"down","lastError":"connection refused"},
		{"labels":{"instance":"c:1","job":"x"},"health":"down","lastError":"refused"},
		{"labels":{"instance":"c:1","job":"y"},"health":"up","lastError":""}],"droppedTargets":[]}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
	defer server.Close()
	reader, err := NewReader(nil).Prometheus(server.URL, "", "a:1", "b:1", "c:1", "d:1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := reader.Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []TargetState{
		{Instance: "a:1", Listed: true},
		{Instance: "b:1", Listed: true, Down: "down: connection refused"},
		{Instance: "c:1", Listed: true},
		{Instance: "d:1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTargetsOfNobodyAreAnError(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	reader, err := NewReader(nil).Prometheus(server.URL, "", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := reader.Targets(t.Context()); err == nil || !strings.Contains(err.Error(), server.URL) {
		t.Errorf("%v, %v: want an error that names %s", got, err, server.URL)
	}
}
