package catalogue_test

import (
	"slices"
	"testing"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

func TestARunIsHeldToARelease(t *testing.T) {
	release := catalogue.Recorded{
		Name: "r", Fails: map[string][]string{"A01": {"one", "two"}, "A02": {"one"}}, Weak: []string{"S01"},
	}
	as := func(change func(map[string]catalogue.Seen)) map[string]catalogue.Seen {
		seen := map[string]catalogue.Seen{"A01": {Failed: []string{"two"}}, "A02": {Failed: []string{"one"}}, "S01": {Weak: true}, "B01": {}}
		if change != nil {
			change(seen)
		}
		return seen
	}
	for name, c := range map[string]struct {
		seen map[string]catalogue.Seen
		want []string
	}{
		"as recorded":        {as(nil), nil},
		"one more fails":     {as(func(s map[string]catalogue.Seen) { s["B01"] = catalogue.Seen{Failed: []string{"one"}} }), []string{"B01: fails by one"}},
		"one does not":       {as(func(s map[string]catalogue.Seen) { s["A01"] = catalogue.Seen{} }), []string{"A01: does not fail by any of one, two"}},
		"by another rule":    {as(func(s map[string]catalogue.Seen) { s["A02"] = catalogue.Seen{Failed: []string{"one", "two"}} }), []string{"A02: fails by two"}},
		"one was left out":   {as(func(s map[string]catalogue.Seen) { delete(s, "A02") }), []string{"A02: was not judged"}},
		"no weakness was":    {as(func(s map[string]catalogue.Seen) { s["S01"] = catalogue.Seen{} }), []string{"S01: passes with a declared weakness: false, recorded true"}},
		"another was":        {as(func(s map[string]catalogue.Seen) { s["B01"] = catalogue.Seen{Weak: true} }), []string{"B01: passes with a declared weakness: true, recorded false"}},
		"the weak was left":  {as(func(s map[string]catalogue.Seen) { delete(s, "S01") }), []string{"S01: was not judged"}},
		"nothing was judged": {nil, []string{"A01: was not judged", "A02: was not judged", "S01: was not judged"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := release.Differs(c.seen); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnUnknownReleaseNamesTheRecorded(t *testing.T) {
	if _, err := catalogue.FindRecorded("kuadrant-9"); err == nil || err.Error() != `release "kuadrant-9" was not recorded: want kuadrant-1.5.2` {
		t.Errorf("error %v", err)
	}
}
