package kuadrant

import (
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-cmp/cmp"
)

func TestBothSetsAreComplete(t *testing.T) {
	sets, err := readVersions(versionsFile)
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	parts := map[string][]string{}
	for _, set := range sets {
		known = append(known, set.Name)
		for _, chart := range set.Charts {
			parts[set.Name] = append(parts[set.Name], "chart "+chart.Name)
			// Only the demo's Istio is a build of no release.
			if _, err := semver.StrictNewVersion(chart.Version); err != nil && !strings.HasPrefix(chart.Version, "1.27-alpha.") {
				t.Errorf("set %s, chart %s: %s: %v", set.Name, chart.Name, chart.Version, err)
			}
		}
		for _, manifest := range set.Manifests {
			parts[set.Name] = append(parts[set.Name], "manifest "+manifest.Name)
			if !strings.Contains(manifest.URL, "/v"+manifest.Version+"/") {
				t.Errorf("set %s, manifest %s: version %s is not what %s has", set.Name, manifest.Name, manifest.Version, manifest.URL)
			}
		}
		for _, image := range set.Images {
			if strings.HasSuffix(image, ":latest") && image != set.LimiterImage {
				t.Errorf("set %s: image %s is whatever it is that day", set.Name, image)
			}
		}
	}
	if diff := cmp.Diff([]string{Current, Seed}, known); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(parts[Current], parts[Seed]); diff != "" {
		t.Errorf("the sets have other parts: %s", diff)
	}
	if set, err := Versions(""); err != nil || set.Name != Current {
		t.Errorf("the default is %s, %v", set.Name, err)
	}
}

// The set of 1.5.2 pulls what its chart and the operators' variables name
// (sut.md 6.1), at the versions that were recorded with it.
func TestCurrentIsTheMatrix(t *testing.T) {
	set, err := Versions(Current)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, image := range set.Images {
		have[strings.TrimPrefix(image, "quay.io/kuadrant/")] = true
	}
	for _, image := range []string{
		"kuadrant-operator:v1.5.2", "limitador-operator:v0.18.3", "limitador:v2.4.2", "authorino-operator:v0.25.2", "authorino:v0.26.2",
		"wasm-shim:v0.14.1", "dns-operator:v0.17.1", "console-plugin:v0.4.1", "console-plugin:v0.1.5-2", "developer-portal-controller:v0.2.1",
	} {
		if !have[image] {
			t.Errorf("%s is missing", image)
		}
	}
}

func TestVersionsFileErrors(t *testing.T) {
	whole := string(versionsFile)
	for want, change := range map[string][2]string{
		"unknown field": {"limiterImage:", "limitImage:"},
		`set current: chart istiod: repository "http://x" is neither https`:      {"repository: https://istio-release.storage.googleapis.com/charts\n        chart: istiod", "repository: http://x\n        chart: istiod"},
		"set current: chart kuadrant-operator has no version":                    {"version: 1.5.2", "version: \"\""},
		`chart kuadrant-operator: version "newest"`:                              {"version: 1.5.2", "version: newest"},
		"set current: its charts are inference-pool, istio-base, istio-base, ku": {"- name: istiod", "- name: istio-base"},
		"its manifests are inference-extension, inference-extension, they must ": {"- name: gateway-api", "- name: inference-extension"},
		`"abc" is no SHA-256 in hex`:                                             {`sha256: ""`, "sha256: abc"},
		`is not https://`:                                                        {"url: https://", "url: ftp://"},
		`image "quay.io/kuadrant/limitador:v2.4.2" of operator limitador-opera`:  {"      - quay.io/kuadrant/limitador:v2.4.2\n", ""},
		`image "ghcr.io/llm-d/llm-d-inference-sim:v0.10.2" of chart model-serv`:  {"      - ghcr.io/llm-d/llm-d-inference-sim:v0.10.2\n", ""},
		`image "ghcr.io/nerdalert/limitador:latest" of limiterImage is not amo`:  {"      - ghcr.io/nerdalert/limitador:latest\n", ""},
		`inferencePool "v1" is no group/version`:                                 {"inferencePool: inference.networking.k8s.io/v1", "inferencePool: v1"},
		`set "current": it has no name of its own`:                               {"- name: seed", "- name: current"},
	} {
		if !strings.Contains(whole, change[0]) {
			t.Errorf("the file has no %q", change[0])
		}
		if _, err := readVersions([]byte(strings.Replace(whole, change[0], change[1], 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
