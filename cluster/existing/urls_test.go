package existing_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/cluster/existing"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
)

// standing is a stack of stand-ins, and what a user would say of it in URLs.
func standing(t *testing.T) (cluster.Variant, cluster.Options) {
	t.Helper()
	policies := t.TempDir()
	if err := os.CopyFS(policies, seed.FS); err != nil {
		t.Fatal(err)
	}
	options := cluster.Options{RunDir: t.TempDir(), StateDir: t.TempDir(), Progress: &bytes.Buffer{}, Variants: []cluster.VariantSpec{{Name: "policy", Dir: policies}}}
	system, err := double.New().Up(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Down(t.Context()); err != nil {
			t.Error(err)
		}
	})
	v := system.Stack().Variants["policy"]
	options.Kubernetes = cluster.KubernetesOptions{
		Gateway: v.Gateway + "/", GatewayStats: v.GatewayStats, LimiterAdmin: v.Limiters, Backend: v.Backend, Journal: v.Journal, Authorizer: v.Authorizer,
	}
	options.Variants = append(options.Variants, cluster.VariantSpec{Name: "twin", Dir: policies})
	return v, options
}

func TestPlainURLs(t *testing.T) {
	was, options := standing(t)
	provider := &existing.Provider{}
	system, err := provider.Up(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	stack := system.Stack()
	if len(stack.Variants) != 1 {
		t.Errorf("variants were made behind plain URLs: %v", stack.Variants)
	}
	is := stack.Variants["policy"]
	if is.Gateway != was.Gateway || is.Limiters[0] != was.Limiters[0] || is.UserLabel != was.UserLabel || is.Dir != was.Dir {
		t.Errorf("got %+v of %+v", is, was)
	}
	attached, err := provider.Attach(t.Context(), stack)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []cluster.System{system, attached} {
		lister, err := cluster.As[cluster.LimiterLister](s)
		if err != nil {
			t.Fatal(err)
		}
		if limiters, err := lister.Limiters(t.Context(), "policy"); err != nil || len(limiters) != 1 {
			t.Errorf("limiters: %v, %v", limiters, err)
		}
		if _, err := cluster.As[cluster.IdentityIssuer](s); err == nil {
			t.Error("identities can be issued behind plain URLs")
		}
		for range 2 {
			if err := s.Down(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestPlainURLsOfAnotherPolicy(t *testing.T) {
	_, options := standing(t)
	other := t.TempDir()
	text, err := seed.FS.ReadFile("33-rate-limit-policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(other, seed.FS); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other+"/33-rate-limit-policy.yaml", bytes.Replace(text, []byte("limit: 10"), []byte("limit: 11"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	options.Variants[0].Dir = other
	ctx, cancel := shortly(t)
	defer cancel()
	_, err = (&existing.Provider{}).Up(ctx, options)
	start, ok := errors.AsType[*cluster.StartError](err)
	if !ok || start.Component != "limitador" || !strings.Contains(start.Next, "--policies") {
		t.Errorf("got %v", err)
	}
}

func TestPlainURLsLack(t *testing.T) {
	limiter := httptest.NewServer(http.NotFoundHandler())
	defer limiter.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	list, err := existing.Capabilities(t.Context(), cluster.KubernetesOptions{
		Gateway: limiter.URL, LimiterAdmin: []string{limiter.URL}, Backend: gone.URL, Authorizer: strings.TrimPrefix(gone.URL, "http://"),
	})
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, one := range list {
		has[one.Name] = one.Has
		if !one.Has && one.Why == "" {
			t.Errorf("%s is missing for no reason", one.Name)
		}
	}
	if has["issue fresh identities"] || !has["book of the limiter"] || !has["fire at the gateway"] || has["book of Prometheus"] || has["book of the backend"] || has["ask the authorizer"] {
		t.Errorf("got %v", list)
	}
	if _, err := existing.Policies(t.Context(), cluster.KubernetesOptions{Gateway: "http://127.0.0.1:1"}, t.TempDir()); err == nil {
		t.Error("policies were found behind plain URLs")
	}
}

func TestInstallsNothingItMayNot(t *testing.T) {
	for name, options := range map[string]cluster.KubernetesOptions{
		"behind plain URLs": {Plan: cluster.PlanStandIn, Gateway: "http://127.0.0.1:1"},
	} {
		if _, err := (&existing.Provider{}).Up(t.Context(), cluster.Options{Kubernetes: options}); err == nil || !strings.Contains(err.Error(), "nothing can be installed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPrometheusBehindAForward has a Prometheus that knows the limiters by other
// addresses than the URLs, as it is where ports are forwarded.
func TestPrometheusBehindAForward(t *testing.T) {
	was, options := standing(t)
	own := strings.TrimPrefix(was.Limiters[0], "http://")
	for name, test := range map[string]struct {
		scraped []string
		want    []string
	}{
		"by its own address":        {[]string{"10.0.0.9:8080", own}, []string{own}},
		"the only one":              {[]string{"10.0.0.9:8080"}, []string{"10.0.0.9:8080"}},
		"one of two, unknown which": {[]string{"10.0.0.8:8080", "10.0.0.9:8080"}, nil},
		"none":                      {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				var series []string
				for _, instance := range test.scraped {
					series = append(series, fmt.Sprintf(`{"metric":{"instance":%q},"value":[1,"1"]}`, instance))
				}
				_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, strings.Join(series, ","))
			}))
			defer prometheus.Close()
			said := &bytes.Buffer{}
			asked := options
			asked.Kubernetes.Prometheus, asked.Progress = prometheus.URL, said
			system, err := (&existing.Provider{}).Up(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = system.Down(t.Context()) }()
			stack := system.Stack()
			if got := stack.Variants["policy"].PrometheusInstances; !slices.Equal(got, test.want) {
				t.Errorf("instances %v", got)
			}
			if (stack.Prometheus != "") != (test.want != nil) || strings.Contains(said.String(), "no book of Prometheus") != (test.want == nil) {
				t.Errorf("prometheus %q, said %q", stack.Prometheus, said)
			}
		})
	}
}
