package conformance

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// elastic is a system on stand-ins that seems to scale. Its gateway is one
// however many are asked for. A second limiter is the second store of the one
// that has the fault unshared-replicas, which takes every other call: seen from
// outside, two limiters that each have half of the metrics.
type elastic struct {
	cluster.System
	cluster.IdentityIssuer
	cluster.PolicyEditor
	cluster.PolicyPutter
	cluster.Restarter

	limiter  string
	halves   []string
	replicas map[string]int
	told     time.Time
}

// Scale takes a while, as it does in earnest.
func (e *elastic) Scale(ctx context.Context, component string, replicas int) error {
	takes := time.NewTimer(200 * time.Millisecond)
	defer takes.Stop()
	select {
	case <-takes.C:
		e.replicas[component] = replicas
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *elastic) Replicas(_ context.Context, component string) (int, error) {
	return max(1, e.replicas[component]), nil
}

func (e *elastic) Limiters(context.Context, string) ([]string, error) {
	if e.replicas["limitador@edits"] > 1 {
		return e.halves, nil
	}
	return []string{e.limiter}, nil
}

// PutPolicy is put, and said to be enforced 300 ms later.
func (e *elastic) PutPolicy(ctx context.Context, variant string, set *policy.Set) error {
	e.told = time.Now().Add(300 * time.Millisecond)
	return e.PolicyPutter.PutPolicy(ctx, variant, set)
}

func (e *elastic) PolicyState(context.Context, string) (cluster.PolicyState, error) {
	return cluster.PolicyState{Exists: true, Current: true, Accepted: true, Enforced: time.Now().After(e.told)}, nil
}

var callSample = regexp.MustCompile(`(?m)^((?:authorized|limited)_[^ ]+) ([0-9]+)$`)

// half serves what one of two limiters would have in its metrics.
func half(t *testing.T, limiter string, first bool) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, limiter+r.URL.Path, nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		page, err := io.ReadAll(answer.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		halved := callSample.ReplaceAllStringFunc(string(page), func(sample string) string {
			name, value, _ := strings.Cut(sample, " ")
			n, _ := strconv.Atoi(value)
			if first {
				n++
			}
			return name + " " + strconv.Itoa(n/2)
		})
		w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
		_, _ = io.WriteString(w, halved)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// lifeOf names the process of TestLifeOfASystem that runs specs: Ginkgo runs one
// suite in a process.
const lifeOf = "FLOODGATE_TEST_LIFE"

// TestLifeOfASystem runs the cases of edits, restarts and replicas on a system
// that can do all of it.
func TestLifeOfASystem(t *testing.T) {
	for name, c := range map[string]struct {
		cases []string
		fault string
		wrong string
	}{
		"sound":                        {cases: []string{"P01", "P02", "P04", "S01", "S08"}},
		"each limiter counts for it":   {cases: []string{"S09"}, fault: "unshared-replicas"},
		"an edit resets its counter":   {cases: []string{"P02"}, fault: "edit-resets-counters", wrong: "keeps-counters"},
		"an edit keeps the old window": {cases: []string{"P04"}, fault: "edit-keeps-window", wrong: "starts-anew"},
	} {
		t.Run(name, func(t *testing.T) {
			runDir := t.TempDir()
			var filter []string
			for _, id := range c.cases {
				filter = append(filter, "case:"+id)
			}
			specs := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLifeProcess$", "--ginkgo.label-filter="+strings.Join(filter, " || "))
			specs.Env = append(os.Environ(), lifeOf+"="+runDir, lifeOf+"_FAULT="+c.fault)
			output, err := specs.CombinedOutput()
			if (err != nil) != (c.wrong != "") {
				t.Fatalf("%v\n%s", err, output)
			}
			cases, err := harness.ReadCases(runDir)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range c.cases {
				one := cases[id]
				if c.wrong == "" && one.Verdict != reports.Pass {
					t.Errorf("%s: %s: %s\n%s", id, one.Verdict, one.Reason, output)
				}
				if c.wrong != "" && !blamesLimiter(one.Findings, c.wrong) {
					t.Errorf("%s: no finding of %s blames the limiter: %+v", id, c.wrong, one.Findings)
				}
				for _, f := range one.Findings {
					t.Logf("%s %s %s: %s", id, f.Verdict, f.Rule, f.Reason)
				}
			}
		})
	}
}

func blamesLimiter(findings []reports.Finding, rule string) bool {
	for _, f := range findings {
		if f.Rule == rule && f.Verdict == reports.Fail && f.Component == reports.Limiter {
			return true
		}
	}
	return false
}

// TestLifeProcess is the process that TestLifeOfASystem starts.
func TestLifeProcess(t *testing.T) {
	runDir := os.Getenv(lifeOf)
	if runDir == "" {
		t.Skip("SKIPPED: it is a part of TestLifeOfASystem")
	}
	faults := map[string][]string{}
	if fault := os.Getenv(lifeOf + "_FAULT"); fault != "" {
		faults["limitador"] = []string{fault}
	}
	system, err := double.New().Up(t.Context(), cluster.Options{
		RunDir: runDir, Variants: editsVariants(t), Faults: faults, Seed: 1, Progress: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	session := harness.Session{Run: "test", Seed: 1, Again: "go test ./suites/conformance", Stack: system.Stack(), Declared: system.Stack().Declared}
	if err := harness.WriteSession(runDir, session); err != nil {
		t.Fatal(err)
	}
	bed, err = harness.NewBed(runDir, session, elasticOf(t, system))
	if err != nil {
		t.Fatal(err)
	}
	gomega.RegisterFailHandler(ginkgo.Fail)
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.FailOnEmpty = true
	ginkgo.RunSpecs(t, title, suite, reporter)
	if err := bed.Close(); err != nil {
		t.Error(err)
	}
}

func elasticOf(t *testing.T, system cluster.System) *elastic {
	t.Helper()
	limiter := system.Stack().Variants[harness.Edits].Limiters[0]
	e := &elastic{System: system, limiter: limiter, replicas: map[string]int{}, halves: []string{half(t, limiter, true), half(t, limiter, false)}}
	for _, has := range []bool{
		as(system, &e.IdentityIssuer), as(system, &e.PolicyEditor), as(system, &e.PolicyPutter), as(system, &e.Restarter),
	} {
		if !has {
			t.Fatal("the stand-ins' system lacks a capability that it is to lend")
		}
	}
	return e
}

func as[Capability any](system cluster.System, capability *Capability) (ok bool) {
	*capability, ok = system.(Capability)
	return ok
}

// editsVariants are the user's policy and the variant for edits, both the seed's.
func editsVariants(t *testing.T) []cluster.VariantSpec {
	t.Helper()
	set, err := policy.ReadFS(seed.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var variants []cluster.VariantSpec
	for _, name := range []string{harness.Policy, harness.Edits} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := set.Write(dir); err != nil {
			t.Fatal(err)
		}
		variants = append(variants, cluster.VariantSpec{Name: name, Dir: dir})
	}
	return variants
}
