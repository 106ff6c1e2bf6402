package local

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestPrometheusFaultsShowInTheScrapeConfiguration(t *testing.T) {
	sound := configOf(t, nil)
	shows := map[string]string{
		dropsUserLabel:    "action: labeldrop",
		dropsLimitedCalls: "regex: limited_calls.*",
		limiterUnscraped:  "",
		wrongTarget:       "instance: 127.0.0.1:1",
	}
	for _, f := range PrometheusFaults() {
		faulty := configOf(t, []string{f.Name})
		if faulty == sound || strings.Contains(sound, shows[f.Name]) && shows[f.Name] != "" || !strings.Contains(faulty, shows[f.Name]) {
			t.Errorf("%s: %q in\n%s", f.Name, shows[f.Name], faulty)
		}
	}
	if faulty := configOf(t, []string{limiterUnscraped}); strings.Contains(faulty, "127.0.0.1:2") {
		t.Errorf("the last limiter is scraped all the same:\n%s", faulty)
	}
}

func configOf(t *testing.T, faults []string) string {
	t.Helper()
	job := scrapeJob{JobName: limiter, StaticConfigs: []staticTarget{
		{[]string{"127.0.0.1:1"}, map[string]string{"variant": "policy"}},
		{[]string{"127.0.0.1:2"}, map[string]string{"variant": "twin"}},
	}}
	instances := spoilScrapes(&job, []string{"127.0.0.1:1", "127.0.0.1:2"}, faults)
	if want := !slices.Contains(faults, limiterUnscraped); slices.Contains(instances, "127.0.0.1:2") != want {
		t.Errorf("faults %v: waits for scrapes of %v", faults, instances)
	}
	text, err := yaml.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
