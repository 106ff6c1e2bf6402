package catalogue_test

import (
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

func TestAbsencesNameTheirNeed(t *testing.T) {
	absent, err := catalogue.Absences()
	if err != nil {
		t.Fatal(err)
	}
	for id, reason := range absent {
		if text := reason.String(); !strings.Contains(text, string(reason.Need)) || !strings.Contains(text, reason.Why) {
			t.Errorf("%s: reason %q lacks its need or its why", id, text)
		}
	}
}

func TestMismatchesFindBothWaysToDiffer(t *testing.T) {
	absent, err := catalogue.Absences()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := catalogue.All()
	if err != nil {
		t.Fatal(err)
	}
	var reasoned string
	var specified []string
	for _, c := range cases {
		if _, ok := absent[c.ID]; ok {
			reasoned = c.ID
			continue
		}
		specified = append(specified, c.ID)
	}
	for name, c := range map[string]struct {
		specified []string
		want      string
	}{
		"the same":               {specified: specified},
		"a spec was taken away":  {specified: specified[1:], want: specified[0] + " has no spec"},
		"a reason was left over": {specified: append([]string{reasoned}, specified...), want: reasoned + " has a spec"},
	} {
		wrong, err := catalogue.Mismatches(c.specified)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(wrong, "; "); (c.want == "") != (text == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
	}
}

func TestLanesContainTheLanesBeforeThem(t *testing.T) {
	for _, c := range []struct {
		lane catalogue.Lane
		of   catalogue.Lane
		want bool
	}{
		{catalogue.Smoke, catalogue.Smoke, true},
		{catalogue.Smoke, catalogue.Full, false},
		{catalogue.Full, catalogue.Smoke, true},
		{catalogue.Release, catalogue.Full, true},
		{catalogue.Full, catalogue.Release, false},
		{catalogue.Seed, catalogue.Smoke, false},
		{catalogue.Release, catalogue.Unit, false},
	} {
		if got := c.lane.Includes(catalogue.Case{Lane: c.of}); got != c.want {
			t.Errorf("lane %s includes a case of lane %s: %t, want %t", c.lane, c.of, got, c.want)
		}
	}
}
