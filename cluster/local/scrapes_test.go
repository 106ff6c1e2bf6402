package local

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestWithoutScrapesKeepsNamesAndOthers(t *testing.T) {
	const config = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: limitador
  static_configs:
  - {targets: ["127.0.0.1:2"], labels: {variant: policy}}
  - {targets: ["127.0.0.1:3"], labels: {variant: twin}}
`
	broken, err := withoutScrapes([]byte(config), []string{"127.0.0.1:3"})
	if err != nil {
		t.Fatal(err)
	}
	var got scrapeConfig
	if err := yaml.Unmarshal(broken, &got); err != nil {
		t.Fatal(err)
	}
	want := []staticTarget{
		{[]string{"127.0.0.1:2"}, map[string]string{"variant": "policy"}},
		{[]string{nowhere}, map[string]string{"variant": "twin", "instance": "127.0.0.1:3"}},
	}
	if diff := cmp.Diff(want, got.ScrapeConfigs[0].StaticConfigs); diff != "" || got.Global.ScrapeInterval != "1s" {
		t.Errorf("interval %q\n%s", got.Global.ScrapeInterval, diff)
	}
}
