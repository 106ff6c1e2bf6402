package double_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
)

// askedDirectly brings the seed up and asks its authorizer who each of its callers
// is.
func askedDirectly(t *testing.T, faults map[string][]string) (set *policy.Set, taken map[string]string, up cluster.Variant) {
	t.Helper()
	set, err := policy.ReadFS(seed.FS, "seed")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "policy")
	if err := set.Write(dir); err != nil {
		t.Fatal(err)
	}
	system, err := double.New().Up(t.Context(), cluster.Options{
		RunDir: t.TempDir(), StateDir: t.TempDir(), Variants: []cluster.VariantSpec{{Name: "policy", Dir: dir}}, Faults: faults,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Down(t.Context()); err != nil {
			t.Error(err)
		}
	})
	up = system.Stack().Variants["policy"]
	authorizer, err := probe.DialAuthorizer(up.Authorizer)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := authorizer.Close(); err != nil {
			t.Error(err)
		}
	}()
	host, _ := set.AuthHost(set.Request())
	taken = map[string]string{}
	for _, identity := range set.Identities() {
		word, err := authorizer.Ask(t.Context(), host, probe.ShownBy(identity, set.Request()))
		if err != nil || word.Status != http.StatusOK {
			t.Fatalf("%s: %d %v", identity, word.Status, err)
		}
		taken[identity.Name], _ = set.Said(set.Request(), word.Auth)
	}
	word, err := authorizer.Ask(t.Context(), host, probe.Shown{Request: set.Request()})
	if err != nil || word.Status != http.StatusUnauthorized {
		t.Errorf("without a key the authorizer says %d, %v", word.Status, err)
	}
	return set, taken, up
}

func TestTheAuthorizerIsAskedDirectly(t *testing.T) {
	_, taken, _ := askedDirectly(t, nil)
	for name, as := range taken {
		if name != as {
			t.Errorf("%s is taken for %q", name, as)
		}
	}
	_, taken, _ = askedDirectly(t, map[string][]string{"authorino": {"wrong-user-id"}})
	for name, as := range taken {
		if name == as {
			t.Errorf("%s is taken for itself under wrong-user-id", name)
		}
	}
}

// A limiter that is asked directly keeps the limit under a name that nobody has.
func TestTheLimiterIsAskedDirectly(t *testing.T) {
	set, _, up := askedDirectly(t, nil)
	limit := set.Tiers()[0].Limits[0]
	limiter, err := probe.DialLimiter(up.LimiterGRPC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := limiter.Close(); err != nil {
			t.Error(err)
		}
	}()
	call := probe.Call{Namespace: limit.Scope, Descriptors: []map[string]string{{limit.ID: "1", limit.Counters[0]: "nobody"}, {up.UserLabel: "nobody"}}}
	for n := range limit.Quota + 3 {
		admitted, err := limiter.Admits(t.Context(), call)
		if err != nil || admitted != (n < limit.Quota) {
			t.Errorf("call %d of a quota of %d: admitted %t, %v", n+1, limit.Quota, admitted, err)
		}
	}
}
