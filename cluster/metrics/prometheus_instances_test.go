package metrics

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestScrapedLimiters(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		want   []string
		fails  bool
	}{
		"two jobs, two limiters": {`{"status":"success","data":{"resultType":"vector","result":[
			{"metric":{"job":"a","instance":"10.0.0.2:8080"},"value":[1,"1"]},
			{"metric":{"job":"b","instance":"10.0.0.2:8080"},"value":[1,"1"]},
			{"metric":{"job":"a","instance":"10.0.0.1:8080"},"value":[1,"1"]}]}}`, []string{"10.0.0.1:8080", "10.0.0.2:8080"}, false},
		"none":          {`{"status":"success","data":{"resultType":"vector","result":[]}}`, nil, false},
		"no instance":   {`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1,"1"]}]}}`, nil, false},
		"no vector":     {`{"status":"success","data":{"resultType":"matrix","result":[]}}`, nil, true},
		"no Prometheus": {`<html>`, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.FormValue("query") != "limitador_up" {
					t.Errorf("query %q", r.FormValue("query"))
				}
				_, _ = w.Write([]byte(test.answer))
			}))
			defer server.Close()
			reader := NewReader(nil)
			defer reader.Close()
			got, err := reader.ScrapedLimiters(t.Context(), server.URL)
			if (err != nil) != test.fails || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
