package selftest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/selftest"
)

func some(count int) []selftest.Fault {
	var faults []selftest.Fault
	for i := range count {
		faults = append(faults, fault(fmt.Sprintf("limitador:f%d", i), reports.Limiter, "no-overrun"))
	}
	return faults
}

func names(faults []selftest.Fault) (list []string) {
	for _, f := range faults {
		list = append(list, f.Name)
	}
	return list
}

func TestDrawsComeFromTheSeed(t *testing.T) {
	faults := some(20)
	if diff := cmp.Diff(names(selftest.Sample(faults, 5, 1)), names(selftest.Sample(faults, 5, 1))); diff != "" {
		t.Errorf("one seed, two samples: %s", diff)
	}
	if cmp.Equal(names(selftest.Sample(faults, 5, 1)), names(selftest.Sample(faults, 5, 2))) {
		t.Error("two seeds, one sample")
	}
	if got := len(selftest.Sample(faults, 0, 1)); got != 20 {
		t.Errorf("no size draws %d of 20", got)
	}
	seen := map[string]bool{}
	for _, pair := range selftest.Pairs(faults, 50, 1) {
		key := fmt.Sprint(names(pair))
		if len(pair) != 2 || pair[0].Name == pair[1].Name || seen[key] {
			t.Errorf("pair %s", key)
		}
		seen[key] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d pairs, want 50", len(seen))
	}
}

func TestOppositesAreNoPair(t *testing.T) {
	faults := []selftest.Fault{fault("limitador:off-by-one-high", reports.Limiter, "x"), fault("limitador:off-by-one-low", reports.Limiter, "y")}
	if pairs := selftest.Pairs(faults, 9, 1); len(pairs) != 0 {
		t.Errorf("%v: together they are a correct limiter", pairs)
	}
}

func TestWhatTakesMinutesIsNoPair(t *testing.T) {
	faults := some(4)
	faults[2].Long = true
	pairs := selftest.Pairs(faults, 9, 1)
	if len(pairs) != 3 {
		t.Errorf("%d pairs of the other three faults, want 3", len(pairs))
	}
	for _, pair := range pairs {
		if pair[0].Long || pair[1].Long {
			t.Errorf("pair %s waits for minutes", names(pair))
		}
	}
}

func TestBattery(t *testing.T) {
	smoke := selftest.Fault{Name: "smoke"}
	beyond := selftest.Fault{Name: "beyond", Concern: catalogue.Concern{Beyond: "P02"}}
	slow := selftest.Fault{Name: "slow", Concern: catalogue.Concern{Cases: []string{"B01"}}}
	for _, test := range []struct {
		faults []selftest.Fault
		want   []string
	}{
		{[]selftest.Fault{smoke}, nil},
		{[]selftest.Fault{beyond}, []string{"P02"}},
		{[]selftest.Fault{smoke, beyond}, nil},
		{[]selftest.Fault{slow}, []string{"B01"}},
		{[]selftest.Fault{smoke, slow}, []string{"B01"}},
		{[]selftest.Fault{beyond, slow}, []string{"P02", "B01"}},
	} {
		if got := selftest.Battery(test.faults); !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", names(test.faults), got, test.want)
		}
	}
}

func TestAFaultWithoutConcernIsRefused(t *testing.T) {
	if _, err := selftest.Concerned("limitador:nobody-said", ""); err == nil {
		t.Error("it could count as found by anything")
	}
}

func TestQuotasOfVariants(t *testing.T) {
	set, err := policy.ReadFS(seed.FS, "seed")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*policy.Set) (*policy.Set, error)
		want   map[string]int64
	}{
		"small": {selftest.WithSmallQuotas, map[string]int64{"free": 1, "premium": 2, "enterprise": 3}},
		"large": {selftest.WithLargeQuotas, map[string]int64{"free": 8, "premium": 40, "enterprise": 200}},
	} {
		changed, err := test.change(set)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, tier := range changed.Tiers() {
			got[tier.Name] = tier.Limits[0].Quota
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestVariantsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range selftest.Variants() {
		if v.Name == "" || v.About == "" || seen[v.Name] {
			t.Errorf("variant %+v: a name of its own and a description are needed", v)
		}
		seen[v.Name] = true
		for _, id := range v.Cases {
			if _, err := catalogue.Find(id); err != nil {
				t.Errorf("%s: %v", v.Name, err)
			}
		}
		if v.Provider != "" {
			if _, err := harness.Provider(v.Provider); err != nil {
				t.Errorf("%s: %v", v.Name, err)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("%d variants, want 15 at least", len(seen))
	}
}
