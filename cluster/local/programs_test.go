package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/cluster/providertest"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// program writes a shell script that stands for a real component: it says a
// version, does what before says, and becomes the stand-in.
func program(t *testing.T, standIn, before string) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), standIn)
	script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = --version ]; then echo '%s 9.8.7'; exit 0; fi\n%s\nexec %s standin %s \"$@\"\n",
		standIn, before, shell(executable), standIn)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func optionsWith(t *testing.T, programs map[string]string) cluster.Options {
	t.Helper()
	programs[prometheus] = NoPrometheus
	return cluster.Options{
		RunDir: t.TempDir(), Programs: programs, Progress: t.Output(),
		Variants: []cluster.VariantSpec{{Name: mainVariant, Dir: providertest.PolicyDir(t)}},
	}
}

// bring brings a stack up that goes down before the test ends.
func bring(t *testing.T, options cluster.Options) cluster.System {
	t.Helper()
	system, err := (&Provider{}).Up(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return system
}

func component(t *testing.T, up cluster.Stack, name string) cluster.Component {
	t.Helper()
	i := slices.IndexFunc(up.Components, func(c cluster.Component) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no %s among %v", name, up.Components)
	}
	return up.Components[i]
}

func TestRealProgramsAreNamedAsSuch(t *testing.T) {
	programs := map[string]string{limiter: program(t, "limitador", ""), modelServer: program(t, "llmd", "")}
	up := bring(t, optionsWith(t, programs)).Stack()
	for name, path := range map[string]string{limiter: programs[limiter], modelServer: programs[modelServer]} {
		c := component(t, up, name)
		if c.Origin != cluster.Real || c.Path != path || !strings.HasSuffix(c.Version, "9.8.7") || c.PID == 0 {
			t.Errorf("%+v, want the real one at %s with its version", c, path)
		}
	}
	if c := component(t, up, authorizer); c.Origin != cluster.StandIn || c.Path != "" {
		t.Errorf("%+v, want a stand-in", c)
	}
	// A real model server keeps no journal: a proxy in front of it does.
	proxy := component(t, up, journalName)
	if proxy.Origin != cluster.StandIn {
		t.Errorf("%+v, want a stand-in", proxy)
	}
	reader := metrics.NewReader(nil)
	t.Cleanup(reader.Close)
	if _, err := reader.Journal(t.Context(), up.Variants[mainVariant].Journal, []string{"a"}); err != nil {
		t.Errorf("journal: %v", err)
	}
}

func TestOldLimiterHasNoUserLabel(t *testing.T) {
	old := program(t, "limitador", `for a; do if [ "$a" = --metric-labels-default ]; then echo "unexpected argument '$a' found" >&2; exit 2; fi; done`)
	up := bring(t, optionsWith(t, map[string]string{limiter: old})).Stack()
	if label := up.Variants[mainVariant].UserLabel; label != "" {
		t.Errorf("user label %q, want none: the limiter cannot have it", label)
	}
}

func TestLostPortIsTriedAgain(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "started")
	unlucky := program(t, "limitador",
		fmt.Sprintf("if [ ! -e %[1]s ]; then touch %[1]s; echo 'Error: Address already in use (os error 98)' >&2; exit 1; fi", shell(marker)))
	bring(t, optionsWith(t, map[string]string{limiter: unlucky}))
	if _, err := os.Stat(marker); err != nil {
		t.Errorf("the first start did not lose its port: %v", err)
	}
}

func TestStartErrorSaysWhatToDo(t *testing.T) {
	broken := program(t, "limitador", "echo 'Failed to load limit file: no' >&2; exit 1")
	_, err := (&Provider{}).Up(t.Context(), optionsWith(t, map[string]string{limiter: broken}))
	var start *cluster.StartError
	if !errors.As(err, &start) {
		t.Fatalf("got %v, want a StartError", err)
	}
	if start.Component != limiter || !strings.HasPrefix(start.Command, broken+" --rls-ip 127.0.0.1 --rls-port ") ||
		start.Log != "Failed to load limit file: no" || !strings.Contains(start.Waiting, "gRPC") || start.Next == "" {
		t.Errorf("got %+v", start)
	}
}

func TestFaultsOfARealProgramAreRefused(t *testing.T) {
	options := optionsWith(t, map[string]string{limiter: program(t, "limitador", "")})
	options.Faults = map[string][]string{limiter: {"off-by-one-high"}}
	if _, err := (&Provider{}).Up(t.Context(), options); err == nil || !strings.Contains(err.Error(), "real program") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestProgramsAreChecked(t *testing.T) {
	for component, path := range map[string]string{limiter: filepath.Join(t.TempDir(), "none"), gatewayComponent: "/bin/true"} {
		if _, err := (&Provider{}).Up(t.Context(), optionsWith(t, map[string]string{component: path})); err == nil || !strings.Contains(err.Error(), component) {
			t.Errorf("%s: got %v, want an error that names it", component, err)
		}
	}
}

// A faulty authorizer is the suite's to find: issuing must not take it for a
// broken stack.
func TestIssueDoesNotJudgeAFaultyAuthorizer(t *testing.T) {
	options := optionsWith(t, map[string]string{})
	options.Faults = map[string][]string{authorizer: {"down"}}
	system := bring(t, options)
	set, err := policy.Read(options.Variants[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	identity, secret, err := set.Mint("bronze", "carl", tier.Key("key-of-carl"))
	if err != nil {
		t.Fatal(err)
	}
	issuer, ok := system.(cluster.IdentityIssuer)
	if !ok {
		t.Fatal("the system issues no identities")
	}
	if err := issuer.Issue(t.Context(), mainVariant, identity, secret); err != nil {
		t.Errorf("issue: %v", err)
	}
}

// telemetry labels the limiter's metrics with the caller under another name.
const telemetry = `apiVersion: extensions.kuadrant.io/v1alpha1
kind: TelemetryPolicy
metadata:
  name: labels
  namespace: shop
spec:
  targetRef:
    group: gateway.networking.k8s.io
    kind: Gateway
    name: front
  metrics:
    default:
      labels:
        caller: auth.identity.userid
        tier: auth.identity.groups
`

func TestMetricLabels(t *testing.T) {
	dir := providertest.PolicyDir(t)
	file := filepath.Join(dir, "telemetry.yaml")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ cel, label string }{
		{`{"user": descriptors[0]["auth.identity.userid"]}`, "user"},
		{`descriptors[1]`, "caller"},
	} {
		set, err := policy.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if cel, label := probe.MetricLabels(set); cel != test.cel || label != test.label {
			t.Errorf("%s by label %q, want %s by %q", cel, label, test.cel, test.label)
		}
		if err := os.WriteFile(file, []byte(telemetry), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever is not counted by the expression of most would be booked on nobody.
func TestMetricLabelsWhereTiersCountByDifferentExpressions(t *testing.T) {
	dir := providertest.PolicyDir(t)
	if err := os.Remove(filepath.Join(dir, "telemetry.yaml")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "policies.yaml")
	manifests, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(manifests), "expression: auth.identity.userid", "expression: auth.identity.groups", 1)
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := policy.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	const groups, user = `descriptors[0]["auth.identity.groups"]`, `descriptors[0]["auth.identity.userid"]`
	want := `{"user": "auth.identity.groups" in descriptors[0] ? ` + groups + " : " + user + "}"
	if cel, label := probe.MetricLabels(set); cel != want || label != "user" {
		t.Errorf("%s by label %q, want %s", cel, label, want)
	}
}
