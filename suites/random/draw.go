package random

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// Ground is what trials are drawn for: a policy whose routes and callers stay.
type Ground struct {
	// Tiers have callers.
	Tiers []string
	// Limits are for some callers each, so that a drawn limit can be for the same.
	Limits []string
	// OtherPath is another path that is routed, "" if there is none.
	OtherPath string
}

// strandBudget is about how long one strand waits in all.
const strandBudget = 7 * time.Second

// The windows that are drawn: those that end in a trial, and one that does not.
var windows = []time.Duration{2 * time.Second, 3 * time.Second, 4 * time.Second, 6 * time.Second, time.Hour}

// Draw draws the n-th trial of a seed. Windows are short, so that some end, and
// quotas small, so that most volleys go beyond one.
func Draw(seed int64, n int, ground Ground) Trial {
	d := draws{rand.New(rand.NewPCG(uint64(seed), uint64(n))), ground}
	if n%aimedEvery == 0 {
		return d.refusing(n)
	}
	var t Trial
	for i := range 1 + d.rng.IntN(6) {
		t.Limits = append(t.Limits, d.limit(fmt.Sprintf("drawn-%d-%d", n, i+1), i == 0))
	}
	for range 2 + d.rng.IntN(3) {
		t.Callers = append(t.Callers, one(d.rng, ground.Tiers))
	}
	if t.shared() {
		var all []Volley
		for range 6 + d.rng.IntN(5) {
			all = append(all, d.volley(d.rng.IntN(len(t.Callers)), t.Limits))
		}
		t.Strands = [][]Volley{all}
	} else {
		for caller := range t.Callers {
			var strand []Volley
			for range 4 + d.rng.IntN(5) {
				strand = append(strand, d.volley(caller, t.Limits))
			}
			t.Strands = append(t.Strands, strand)
		}
	}
	for _, strand := range t.Strands {
		left := strandBudget
		for i := range strand {
			if strand[i].After > left || i == 0 {
				strand[i].After = 0
			}
			left -= strand[i].After
		}
	}
	return t
}

// aimedEvery is how often a trial is drawn by refusing instead.
const aimedEvery = 4

// refusing draws a trial in which one limit refuses hits while the counter of
// another was never used, and which goes on until a window that they might have
// opened ends: what comes of a refused call hardly shows by chance.
func (d draws) refusing(n int) Trial {
	const short = 2 * time.Second
	long := one(d.rng, []time.Duration{3 * time.Second, 4 * time.Second})
	quota := 1 + d.rng.IntN(3)
	spent := quota + d.rng.IntN(3)
	t := Trial{Limits: []policy.Drawn{
		{Name: fmt.Sprintf("drawn-%d-1", n), Rates: []policy.Rate{{Quota: int64(spent), Window: short}}},
		{Name: fmt.Sprintf("drawn-%d-2", n), Mark: "b", Rates: []policy.Rate{{Quota: int64(quota), Window: long}}},
	}}
	between := func(from, to time.Duration) time.Duration {
		return (from + time.Duration(d.rng.Int64N(int64(to-from)))).Round(time.Millisecond)
	}
	for caller := range 2 + d.rng.IntN(2) {
		t.Callers = append(t.Callers, one(d.rng, d.ground.Tiers))
		refused := between(100*time.Millisecond, 400*time.Millisecond)
		t.Strands = append(t.Strands, []Volley{
			{Caller: caller, Hits: spent},
			{Caller: caller, Hits: 2 + d.rng.IntN(3), Mark: "b", Together: d.rng.IntN(2) == 0, After: refused},
			{Caller: caller, Hits: quota, Mark: "b", After: short - refused + 200*time.Millisecond},
			{Caller: caller, Hits: 1 + d.rng.IntN(2), Mark: "b", After: between(2200*time.Millisecond, 2600*time.Millisecond)},
		})
	}
	return t
}

type draws struct {
	rng    *rand.Rand
	ground Ground
}

func one[T any](rng *rand.Rand, of []T) T { return of[rng.IntN(len(of))] }

// limit draws a limit; the plain one is for every request of those that it is for.
func (d draws) limit(name string, plain bool) policy.Drawn {
	limit := policy.Drawn{Name: name, Shared: d.rng.IntN(12) == 0}
	if d.rng.IntN(5) > 1 && len(d.ground.Limits) > 0 {
		limit.Like = one(d.rng, d.ground.Limits)
	}
	mark := one(d.rng, []string{"", "", "", "a", "b", policy.AnyMark, policy.AnyMark})
	byMark, elsewhere := d.rng.IntN(2) == 0, d.rng.IntN(6) == 0
	if !plain {
		limit.Mark = mark
		limit.ByMark = byMark && mark == policy.AnyMark && !limit.Shared
		if elsewhere {
			limit.Path = d.ground.OtherPath
		}
	}
	lengths := slices.Clone(windows)
	d.rng.Shuffle(len(lengths), func(i, j int) { lengths[i], lengths[j] = lengths[j], lengths[i] })
	lengths = lengths[:one(d.rng, []int{1, 1, 1, 2, 2, 3})]
	slices.SortFunc(lengths, cmp.Compare[time.Duration])
	quota := int64(0)
	for _, window := range lengths {
		// A longer window has a larger quota, else a shorter one would never bind.
		quota += int64(1 + d.rng.IntN(4))
		limit.Rates = append(limit.Rates, policy.Rate{Quota: quota, Window: window})
	}
	return limit
}

// volley draws hits, which often leave shortly before or after a window's length.
func (d draws) volley(caller int, limits []policy.Drawn) Volley {
	v := Volley{
		Caller: caller, Hits: 1 + d.rng.IntN(6), Together: d.rng.IntN(3) == 0,
		Mark: one(d.rng, []string{"", "", "a", "b"}),
	}
	if d.rng.IntN(5) == 0 {
		v.Path = d.ground.OtherPath
	}
	window := one(d.rng, one(d.rng, limits).Rates).Window
	share := one(d.rng, []float64{0, 0, 0, 0.4, 0.85, 0.96, 1.04, 1.15})
	if window <= strandBudget {
		v.After = time.Duration(share * float64(window)).Round(time.Millisecond)
	}
	return v
}
