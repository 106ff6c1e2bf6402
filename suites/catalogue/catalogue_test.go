package catalogue_test

import (
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

func TestCatalogueIsComplete(t *testing.T) {
	cases, err := catalogue.All()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	lanes := map[catalogue.Lane]int{}
	for _, c := range cases {
		if seen[c.ID] {
			t.Errorf("%s stands twice", c.ID)
		}
		seen[c.ID] = true
		lanes[c.Lane]++
		if c.Given == "" || c.Expected == "" {
			t.Errorf("%s: given %q, expected %q: neither may be empty", c.ID, c.Given, c.Expected)
		}
		if strings.ContainsAny(c.Given+c.Expected+c.Reveals, "`*") {
			t.Errorf("%s holds markup", c.ID)
		}
	}
	if len(cases) != 172 || lanes[catalogue.Smoke] != 22 {
		t.Errorf("%d cases, %d of them in lane smoke; want 172 and 22", len(cases), lanes[catalogue.Smoke])
	}
}

func TestFindNamesTheUnknownCase(t *testing.T) {
	if _, err := catalogue.Find("Z99"); err == nil || !strings.Contains(err.Error(), "Z99") {
		t.Fatalf("error %v does not name Z99", err)
	}
	found, err := catalogue.Find("C01")
	if err != nil || found.Lane != catalogue.Smoke || found.Chapter != "Concurrency" {
		t.Fatalf("C01 = %+v, %v", found, err)
	}
}

func TestOnlyRunnableLanesHaveAFilter(t *testing.T) {
	for lane, want := range map[catalogue.Lane]string{
		catalogue.Smoke: "lane:smoke",
		catalogue.Full:  "lane:smoke || lane:full",
		catalogue.Seed:  "lane:seed",
	} {
		if got, err := lane.Filter(); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", lane, got, err, want)
		}
	}
	for _, lane := range []catalogue.Lane{"", "smok", catalogue.Unit} {
		if _, err := lane.Filter(); err == nil {
			t.Errorf("%q has a filter", lane)
		}
	}
}
