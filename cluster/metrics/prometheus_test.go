package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// series is a stored series of the fake server: labels and raw samples by
// their time in milliseconds.
type series struct {
	labels  map[string]string
	samples map[int64]string
}

// promServer answers the two queries of this package as Prometheus would.
type promServer struct {
	mu     sync.Mutex
	stored []series
	// ahead is how far its clock is ahead of frozen.
	ahead time.Duration
	// asked is called with the lock held before each answer to a query.
	asked func(*promServer)
}

func (p *promServer) start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return server.URL
}

func (p *promServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked != nil {
		p.asked(p)
	}
	result := []any{}
	kind := "vector"
	if query := r.FormValue("query"); strings.HasPrefix(query, "timestamp(up{") {
		for _, s := range p.stored {
			if s.labels["__name__"] == "up" {
				result = append(result, map[string]any{
					"metric": without(s.labels, "__name__"),
					"value":  []any{float64(frozen.Add(p.ahead).UnixMilli()) / 1000, fmt.Sprintf("%.3f", float64(newest(s))/1000)},
				})
			}
		}
	} else {
		kind = "matrix"
		at, _ := strconv.ParseFloat(r.FormValue("time"), 64)
		end := int64(at*1000 + 0.5)
		for _, s := range p.stored {
			values := []any{}
			for ms := end - 999; ms <= end; ms++ {
				if value, ok := s.samples[ms]; ok {
					values = append(values, []any{float64(ms) / 1000, value})
				}
			}
			selected := strings.Contains(query, `job="`+s.labels["job"]+`"`) && strings.Contains(query, `instance="`+s.labels["instance"]+`"`)
			if len(values) > 0 && selected {
				result = append(result, map[string]any{"metric": s.labels, "values": values})
			}
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"status": "success", "data": map[string]any{"resultType": kind, "result": result},
	})
}

func newest(s series) (latest int64) {
	for ms := range s.samples {
		latest = max(latest, ms)
	}
	return latest
}

func without(labels map[string]string, name string) map[string]string {
	rest := map[string]string{}
	for label, value := range labels {
		if label != name {
			rest[label] = value
		}
	}
	return rest
}

func stored(name, job, instance, user string, samples map[int64]string) series {
	labels := map[string]string{"__name__": name, "job": job, "instance": instance}
	if user != "" {
		labels["user"] = user
	}
	return series{labels, samples}
}

const scrapedAt = 1_800_000_000_123

// frozen is this machine's clock in the tests: all that is asked is asked then.
var frozen = time.UnixMilli(scrapedAt + 5000)

// frozenReader reads a fake server at a moment that stays.
func frozenReader(t *testing.T, address string, instances ...string) *Prometheus {
	t.Helper()
	prometheus, err := reader(t).Prometheus(address, "", instances...)
	if err != nil {
		t.Fatal(err)
	}
	prometheus.now = func() time.Time { return frozen }
	return prometheus
}

// atTheEarliest is a time of Prometheus' clock on this machine's, where both agree:
// what was asked was evaluated within its millisecond.
func atTheEarliest(ms int64) time.Time { return time.UnixMilli(ms - 1) }

func TestLastReadsRawSamplesOfOneScrape(t *testing.T) {
	p := &promServer{stored: []series{
		stored("up", "limitador", "a:1", "", map[int64]string{scrapedAt - 900: "1", scrapedAt - 500: "1", scrapedAt: "1"}),
		stored("limitador_up", "limitador", "a:1", "", map[int64]string{scrapedAt - 900: "1", scrapedAt - 500: "1", scrapedAt: "1"}),
		stored("authorized_calls", "limitador", "a:1", "free", map[int64]string{scrapedAt - 500: "1", scrapedAt: "2"}),
		stored("limited_calls", "limitador", "a:1", "free", map[int64]string{scrapedAt: "3"}),
		// This series ended before the scrape: the limiter was restarted.
		stored("authorized_calls", "limitador", "a:1", "gone", map[int64]string{scrapedAt - 900: "40"}),
		stored("up", "limitador", "b:1", "", map[int64]string{scrapedAt - 7: "1"}),
		stored("authorized_calls", "limitador", "b:1", "free", map[int64]string{scrapedAt - 7: "5"}),
		// A second job scrapes b:1 too, and drops the metrics.
		stored("up", "annotations", "b:1", "", map[int64]string{scrapedAt - 3: "1"}),
		stored("up", "limitador", "stranger:1", "", map[int64]string{scrapedAt: "1"}),
		stored("authorized_calls", "limitador", "stranger:1", "free", map[int64]string{scrapedAt: "100"}),
	}}
	prometheus := frozenReader(t, p.start(t), "b:1", "a:1", "a:1")
	got, err := prometheus.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Scrape{
		Tally: Tally{Users: map[string]Calls{"free": {7, 3, 0}}, Total: Calls{7, 3, 0}},
		Began: atTheEarliest(scrapedAt - 7),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLastWithinNamespaces(t *testing.T) {
	ours := stored("authorized_calls", "limitador", "a:1", "free", map[int64]string{scrapedAt: "2"})
	theirs := stored("authorized_calls", "limitador", "a:1", "free", map[int64]string{scrapedAt: "40"})
	ours.labels["limitador_namespace"], theirs.labels["limitador_namespace"] = "llm-d/ours", "other/route"
	p := &promServer{stored: []series{
		stored("up", "limitador", "a:1", "", map[int64]string{scrapedAt: "1"}), ours, theirs,
	}}
	prometheus, err := reader(t).Within("llm-d/ours").Prometheus(p.start(t), "", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := prometheus.Last(t.Context())
	if err != nil || got.Total != (Calls{Authorized: 2}) {
		t.Errorf("got %+v (%v), want the 2 calls of the namespace", got.Total, err)
	}
}

func TestAfterWaitsForALaterScrape(t *testing.T) {
	p := &promServer{stored: []series{
		stored("up", "limitador", "a:1", "", map[int64]string{scrapedAt: "1"}),
		stored("authorized_calls", "limitador", "a:1", "free", map[int64]string{scrapedAt: "1"}),
	}}
	rounds := 0
	p.asked = func(p *promServer) {
		if rounds++; rounds == 3 {
			p.stored[0].samples[scrapedAt+1000] = "1"
			p.stored[1].samples[scrapedAt+1000] = "2"
		}
	}
	prometheus := frozenReader(t, p.start(t), "a:1")
	got, err := prometheus.After(t.Context(), time.UnixMilli(scrapedAt))
	if err != nil {
		t.Fatal(err)
	}
	if got.Users["free"].Authorized != 2 || !got.Began.Equal(atTheEarliest(scrapedAt+1000)) {
		t.Errorf("got %+v, want the scrape that began after", got)
	}
}

// A scrape before t must not pass for one after it because Prometheus' clock is
// ahead, nor one after it be waited past because that is behind.
func TestAfterHoldsWhateverPrometheusClockShows(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour, 3 * time.Second, -3 * time.Second} {
		t.Run(ahead.String(), func(t *testing.T) {
			shown := func(ms int64) int64 { return ms + ahead.Milliseconds() }
			p := &promServer{ahead: ahead, stored: []series{
				stored("up", "limitador", "a:1", "", map[int64]string{shown(scrapedAt): "1"}),
				stored("authorized_calls", "limitador", "a:1", "free", map[int64]string{shown(scrapedAt): "1"}),
			}}
			rounds := 0
			p.asked = func(p *promServer) {
				if rounds++; rounds == 3 {
					p.stored[0].samples[shown(scrapedAt+2000)] = "1"
					p.stored[1].samples[shown(scrapedAt+2000)] = "2"
				}
			}
			got, err := frozenReader(t, p.start(t), "a:1").After(t.Context(), time.UnixMilli(scrapedAt+1000))
			if err != nil {
				t.Fatal(err)
			}
			if got.Users["free"].Authorized != 2 || !got.Began.Equal(atTheEarliest(scrapedAt+2000)) {
				t.Errorf("got %+v, want the scrape that began after", got)
			}
		})
	}
}

func TestAfterSaysWhatWasMissing(t *testing.T) {
	for name, test := range map[string]struct {
		stored []series
		want   string
	}{
		"no target":     {nil, "instance a:1 was not scraped"},
		"an old scrape": {[]series{stored("up", "j", "a:1", "", map[int64]string{scrapedAt: "1"})}, "the last scrape of a:1 began at 2027-01-15T08:00:00.122Z"},
		"samples with times of their own": {
			[]series{
				stored("up", "j", "a:1", "", map[int64]string{scrapedAt + 500: "1"}),
				stored("limitador_up", "j", "a:1", "", map[int64]string{scrapedAt + 503: "1"}),
				stored("authorized_calls", "j", "a:1", "free", map[int64]string{scrapedAt + 503: "2"}),
			},
			"the samples of a:1 carry times of their own, such as 2027-01-15T08:00:00.626Z",
		},
		"a failed scrape": {
			[]series{stored("up", "j", "a:1", "", map[int64]string{scrapedAt + 2: "0"})},
			"the last scrape of a:1, at 2027-01-15T08:00:00.125Z, failed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &promServer{stored: test.stored}
			ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
			defer cancel()
			prometheus := frozenReader(t, p.start(t), "a:1")
			_, err := prometheus.After(ctx, time.UnixMilli(scrapedAt))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "2027-01-15T08:00:00.123Z") {
				t.Errorf("got %v, want %q", err, test.want)
			}
			// Whoever waits for a first scrape alone is told it apart.
			if own := strings.Contains(test.want, "times of their own"); errors.Is(err, ErrOwnTimes) != own {
				t.Errorf("%v: of its own times: %t, want %t", err, !own, own)
			}
		})
	}
}

func TestPrometheusNeedsAnInstance(t *testing.T) {
	if _, err := reader(t).Prometheus("http://127.0.0.1:9090", ""); err == nil {
		t.Error("no instance must be an error: every target of the server would be summed")
	}
}
