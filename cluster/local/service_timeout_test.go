package local

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/providertest"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/policy/wasmconfig"
)

// Every gateway waits a second for its services, also after another policy was
// put in force.
func TestGatewaysWaitASecond(t *testing.T) {
	options := optionsWith(t, map[string]string{})
	options.Variants = append(options.Variants, cluster.VariantSpec{Name: "twin", Dir: providertest.PolicyDir(t)})
	system := bring(t, options)
	set, err := policy.Read(options.Variants[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	checkTimeouts(t, system.Stack(), "after the start")
	editor, ok := system.(cluster.PolicyEditor)
	if !ok {
		t.Fatal("the system edits no policies")
	}
	if err := editor.Apply(context.WithoutCancel(t.Context()), "twin", set.WithoutRateLimits()); err != nil {
		t.Fatal(err)
	}
	checkTimeouts(t, system.Stack(), "after an edit")
	for gateway, config := range set.WasmConfigs() {
		for name, service := range config.Services {
			if service.Timeout == wasmconfig.PatientTimeout {
				t.Errorf("gateway %s, service %s: the policy's own timeout was changed", gateway, name)
			}
		}
	}
}

func checkTimeouts(t *testing.T, up cluster.Stack, when string) {
	t.Helper()
	for name := range up.Variants {
		files, err := filesOf(up.State, name, "")
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(files.wasmConfig())
		if err != nil {
			t.Fatal(err)
		}
		var config wasmconfig.Config
		if err := json.Unmarshal(text, &config); err != nil {
			t.Fatal(err)
		}
		if len(config.Services) == 0 {
			t.Errorf("%s variant %s has no services", when, name)
		}
		for service, s := range config.Services {
			if s.Timeout != "1000ms" {
				t.Errorf("%s variant %s waits %s for %s, want 1000ms", when, name, s.Timeout, service)
			}
		}
	}
}
