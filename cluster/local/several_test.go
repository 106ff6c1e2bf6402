package local

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/cluster/providertest"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// Limiters over one store and gateways behind one address are one limiter to a
// caller, though each of them has a part of the hits.
func TestSeveralOfEachAreOneToACaller(t *testing.T) {
	for _, scalable := range []bool{false, true} {
		options := optionsWith(t, map[string]string{})
		options.Limiters, options.Gateways = 2, 2
		options.Variants[0].Scalable = scalable
		system := bring(t, options)
		set, err := policy.Read(options.Variants[0].Dir)
		if err != nil {
			t.Fatal(err)
		}
		up := system.Stack().Variants[mainVariant]
		if version := component(t, system.Stack(), limiter).Version; !strings.Contains(version, "2 over one store") {
			t.Errorf("the record says of the limiters %q only", version)
		}
		identity := set.Identities()[0]
		quota := int(identity.Quota())
		for i := range quota + 6 {
			want := http.StatusOK
			if i >= quota {
				want = http.StatusTooManyRequests
			}
			if got := providertest.Hit(t, up.Gateway, set.Request(), identity); got != want {
				t.Errorf("hit %d of a quota of %d: %d, want %d", i+1, quota, got, want)
			}
		}
		reader := metrics.NewReader(nil)
		defer reader.Close()
		lister, err := cluster.As[cluster.LimiterLister](system)
		if err != nil {
			t.Fatal(err)
		}
		limiters, err := lister.Limiters(t.Context(), mainVariant)
		if err != nil || len(limiters) != 2 {
			t.Fatalf("limiters %v, %v, want two", limiters, err)
		}
		for _, base := range limiters {
			if tally, err := reader.Limiter(t.Context(), base, ""); err != nil || tally.Total.Authorized+tally.Total.Limited == 0 {
				t.Errorf("%s has counted nothing, %v", base, err)
			}
		}
		several, err := cluster.As[cluster.GatewayLister](system)
		if err != nil {
			t.Fatal(err)
		}
		gateways, err := several.GatewayStats(t.Context(), mainVariant)
		if err != nil || len(gateways) != 2 {
			t.Fatalf("gateways %v, %v, want two", gateways, err)
		}
		for _, stats := range gateways {
			if counters, err := reader.Gateway(t.Context(), stats); err != nil || counters.Hits == 0 {
				t.Errorf("%s has had no hit, %v", stats, err)
			}
		}
	}
}

// What is skewed is what whoever asks Prometheus sees of its clock; when a scrape
// began is the same all the same.
func TestPrometheusOfAnotherClock(t *testing.T) {
	program := prometheusUnderTest()
	if program == NoPrometheus {
		t.Skip("there is no Prometheus to test with")
	}
	for _, skew := range []time.Duration{30 * time.Second, -30 * time.Second} {
		options := optionsWith(t, map[string]string{})
		options.Programs[prometheus], options.PrometheusSkew = program, skew
		up := bring(t, options).Stack()
		if shown := time.Until(clockOf(t, up.Prometheus)); shown > skew+5*time.Second || shown < skew-5*time.Second {
			t.Errorf("its clock is shown %s ahead, want %s", shown, skew)
		}
		source, err := metrics.NewReader(nil).Prometheus(up.Prometheus, "", up.Variants[mainVariant].PrometheusInstances...)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), testPatience)
		scrape, err := source.After(ctx, now)
		cancel()
		if err != nil || scrape.Began.Before(now) || scrape.Began.After(time.Now()) {
			t.Errorf("skew %s: a scrape that began %s after it was asked for, %v", skew, scrape.Began.Sub(now), err)
		}
	}
}

// clockOf is the time at which a Prometheus evaluates what it is asked now.
func clockOf(t *testing.T, base string) time.Time {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/query?query=limitador_up", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var told struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil || len(told.Data.Result) != 1 {
		t.Fatalf("%+v, %v", told, err)
	}
	seconds, _ := told.Data.Result[0].Value[0].(float64)
	return time.UnixMilli(int64(seconds * 1000))
}
