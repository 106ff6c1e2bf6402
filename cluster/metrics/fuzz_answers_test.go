package metrics

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// always answers every request with one body.
type always []byte

func (body always) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(body))), Request: request,
	}, nil
}

// Whatever a limiter's HTTP API answers, reading it ends with what it says or
// with an error.
func FuzzLimiterAnswers(f *testing.F) {
	f.Add([]byte(`[]`))
	f.Add([]byte(`[{"id":null,"namespace":"ns","max_value":10,"seconds":120,"name":"n","conditions":["a == 1"],"variables":["u"]}]`))
	f.Add([]byte(`[{"limit":{"namespace":"ns","max_value":10,"seconds":120,"name":null,"conditions":[],"variables":[]},"set_variables":{"u":"alice"},"remaining":18446744073709551615,"expires_in_seconds":119}]`))
	f.Add([]byte(`{"config_version":1,"config_err_since":null,"started":"2026-11-23T00:12:00Z"}`))
	f.Add([]byte(`[null, {"limit": null}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := NewReader(always(body))
		if counters, err := r.Counters(t.Context(), "http://limiter", "a/b"); err == nil {
			for _, c := range counters {
				_ = c.Overshot()
			}
		}
		_, limitsErr := r.Limits(t.Context(), "http://limiter", "a/b")
		_, statusErr := r.Status(t.Context(), "http://limiter")
		instance, instanceErr := r.Instance(t.Context(), "http://limiter")
		if instanceErr == nil && instance == "" {
			t.Error("an instance without a name")
		}
		for _, err := range []error{limitsErr, statusErr, instanceErr} {
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		}
	})
}

// Whatever Prometheus' API answers, reading it ends with counts or an error.
func FuzzPrometheusAnswers(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"limiter","instance":"a:1"},"value":[1,"1764000000.123"]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"a:1"},"values":[[1764000000.123,"1"]]},{"metric":{"__name__":"authorized_calls","user":"alice"},"values":[[1764000000.123,"3"]]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":[null]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[],"histograms":[[1,{"count":"1"}]]}]}}`))
	f.Add([]byte(`{"status":"error","errorType":"bad_data","error":"no"}`))
	f.Add([]byte(`{"status":"success","data":{"activeTargets":[{"labels":{"instance":"a:1"},"scrapeUrl":"http://a:1/metrics","health":"up"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := NewReader(always(body))
		p, err := r.Prometheus("http://prometheus", "", "a:1")
		if err != nil {
			t.Fatal(err)
		}
		if scrape, err := p.Last(t.Context()); err == nil {
			for name, calls := range scrape.Users {
				if calls.Authorized < 0 || calls.Limited < 0 || calls.Hits < 0 {
					t.Errorf("user %q has %+v", name, calls)
				}
			}
		}
		// The matrix of one scrape, without the vector that comes before it.
		if samples, err := p.scraped(t.Context(), target{job: "limiter", instance: "a:1", began: time.UnixMilli(1764000000123)}); err == nil {
			for _, s := range samples {
				if s.Name == targetUp {
					t.Errorf("%s is no call", s.Name)
				}
			}
		}
		if _, err := r.ScrapedLimiters(t.Context(), "http://prometheus"); err == nil {
			return
		}
	})
}
