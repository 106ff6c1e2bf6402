package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/floodgate-dev/floodgate/cluster/local"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/conformance"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

func TestMain(m *testing.M) {
	program := func() {
		bias(os.Getenv("TEST_BLIND_RULES"), os.Getenv("TEST_ACCUSING_RULES"))
		os.Exit(Main())
	}
	testscript.Main(m, map[string]func(){"floodgate": program, conformance.Program: program})
}

// TestScripts runs the command line as users do, in processes of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("CI", "true")
			other, err := filepath.Abs("../../fixtures/policy/testdata/other")
			if err != nil {
				return err
			}
			env.Setenv("OTHER", other)
			calls, err := filepath.Abs("../../fixtures/policy/testdata/calls")
			if err != nil {
				return err
			}
			env.Setenv("CALLS", calls)
			short, err := filepath.Abs("testdata/short")
			if err != nil {
				return err
			}
			env.Setenv("SHORT", short)
			if err := os.MkdirAll(env.WorkDir+"/.tmp", 0o755); err != nil {
				return err
			}
			env.Setenv("TMPDIR", env.WorkDir+"/.tmp")
			// A Prometheus that was built once stays where it is.
			if cache, err := os.UserCacheDir(); err == nil {
				env.Setenv("XDG_CACHE_HOME", cache)
			}
			return nil
		},
		Condition: func(condition string) (bool, error) {
			switch condition {
			case "mount":
				return runtime.GOOS == "linux" && os.Geteuid() == 0, nil
			case "prometheus":
				_, err := local.FindPrometheus()
				return err == nil, nil
			}
			return false, fmt.Errorf("condition %q is unknown", condition)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"record":     recordHas,
			"no-keys":    noKeys,
			"gone":       gone,
			"await":      await,
			"signal":     signalBackground,
			"kill-part":  killPart,
			"takes-port": takesPort,
			"small-disk": smallDisk,
			"left":       leftFiles,
			"urls":       urlsOf,
		},
	})
}

// bias makes some rules of the oracle hold whatever they are asked, and others fail.
func bias(blind, accusing string) {
	if blind == "" && accusing == "" {
		return
	}
	holding, failing := strings.Split(blind, ","), strings.Split(accusing, ",")
	harness.AskInstead(func(q oracle.Question, entries []evidence.Entry) []reports.Finding {
		findings := oracle.Judge(q, entries)
		for i := range findings {
			switch f := &findings[i]; {
			case slices.Contains(holding, f.Rule):
				f.Verdict, f.Reason = reports.Pass, ""
			case slices.Contains(failing, f.Rule):
				f.Verdict, f.Reason, f.Component = reports.Fail, "it is accused for nothing", reports.Limiter
			}
		}
		return findings
	})
}
