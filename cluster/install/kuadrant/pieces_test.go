package kuadrant

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestNetwork(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/crds.yaml" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("objects"))
	}))
	defer server.Close()
	right := digest([]byte("objects"))
	set := Set{Name: "own", Charts: []Chart{{Name: "c", Repository: "https://charts.example/"}}, Manifests: []Manifest{
		{Name: "unchecked", URL: server.URL + "/crds.yaml"},
		{Name: "checked", URL: server.URL + "/crds.yaml", SHA256: right},
		{Name: "altered", Version: "1", URL: server.URL + "/crds.yaml", SHA256: strings.Repeat("0", 64)},
		{Name: "gone", Version: "1", URL: server.URL + "/other.yaml"},
	}}
	network := Network{Set: set, Client: server.Client()}
	for name, want := range map[string]string{
		"unchecked": "", "checked": "",
		"altered": "has SHA-256 " + right + ", the versions file says 0000",
		"gone":    "answered 404 Not Found: give a bundle where there is no network",
		"none":    `versions own have no manifest "none"`,
	} {
		text, err := network.Manifest(t.Context(), name)
		if want == "" {
			if err != nil || string(text) != "objects" {
				t.Errorf("%s: %q, %v", name, text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrNotFetched) {
			t.Errorf("%s: want %q, got %v", name, want, err)
		}
	}
	if repository, err := network.Chart("c"); err != nil || repository != "https://charts.example" {
		t.Errorf("%q, %v", repository, err)
	}
	if _, err := network.Chart("d"); err == nil {
		t.Error("a chart that is not in the set was found")
	}
}
