package random

import (
	"reflect"
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// Until is the trial without what comes after a volley, and without the other
// strands: where a limiter was seen to fail there, the rest hardly matters.
func (t Trial) Until(strand, volley int) Trial {
	if strand < 0 || strand >= len(t.Strands) || volley < 0 || volley >= len(t.Strands[strand]) {
		return t
	}
	t.Strands = [][]Volley{slices.Clone(t.Strands[strand][:volley+1])}
	return t
}

// Shrink makes a trial that fails smaller, as long as one of the smaller ones still
// fails and more says that another may be tried. It tries those first that take
// most away.
func Shrink(t Trial, fails func(Trial) bool, more func() bool) Trial {
	for {
		smaller, found := t.smallerThatFails(fails, more)
		if !found {
			return t.withoutIdlers()
		}
		t = smaller
	}
}

// withoutIdlers is the trial without callers who fire nothing.
func (t Trial) withoutIdlers() Trial {
	t = t.clone()
	var callers []string
	place := map[int]int{}
	for _, strand := range t.Strands {
		for i := range strand {
			caller := strand[i].Caller
			if _, known := place[caller]; !known {
				place[caller] = len(callers)
				callers = append(callers, t.Callers[caller])
			}
			strand[i].Caller = place[caller]
		}
	}
	t.Callers = callers
	return t
}

func (t Trial) smallerThatFails(fails func(Trial) bool, more func() bool) (Trial, bool) {
	for _, candidate := range t.smaller() {
		if !more() {
			break
		}
		if fails(candidate) {
			return candidate, true
		}
	}
	return t, false
}

// smaller are the trials that are one step simpler.
func (t Trial) smaller() []Trial {
	var found []Trial
	add := func(change func(*Trial)) {
		smaller := t.clone()
		change(&smaller)
		if smaller.check() == nil {
			found = append(found, smaller)
		}
	}
	for s := range t.Strands {
		if len(t.Strands) > 1 {
			add(func(c *Trial) { c.Strands = slices.Delete(c.Strands, s, s+1) })
		}
		if half := len(t.Strands[s]) / 2; half > 1 {
			add(func(c *Trial) { c.Strands[s] = c.Strands[s][half:] })
		}
	}
	if half := len(t.Limits) / 2; half > 1 {
		add(func(c *Trial) { c.Limits = c.Limits[:half] })
		add(func(c *Trial) { c.Limits = c.Limits[half:] })
	}
	for i := range t.Limits {
		add(func(c *Trial) { c.Limits = slices.Delete(c.Limits, i, i+1) })
	}
	for s, strand := range t.Strands {
		for i := range strand {
			if len(strand) > 1 {
				add(func(c *Trial) { c.Strands[s] = slices.Delete(c.Strands[s], i, i+1) })
			}
		}
	}
	for i, limit := range t.Limits {
		for n := range limit.Rates {
			add(func(c *Trial) { c.Limits[i].Rates = slices.Delete(c.Limits[i].Rates, n, n+1) })
		}
	}
	for i, limit := range t.Limits {
		for _, simpler := range simplerLimits(limit) {
			add(func(c *Trial) { c.Limits[i] = simpler })
		}
	}
	for s, strand := range t.Strands {
		for i, volley := range strand {
			for _, simpler := range simplerVolleys(volley) {
				add(func(c *Trial) { c.Strands[s][i] = simpler })
			}
		}
	}
	return found
}

func simplerLimits(limit policy.Drawn) []policy.Drawn {
	var found []policy.Drawn
	for _, simplify := range []func(*policy.Drawn){
		func(l *policy.Drawn) { l.Mark, l.ByMark = "", false },
		func(l *policy.Drawn) { l.Path = "" },
		func(l *policy.Drawn) { l.Like = "" },
		func(l *policy.Drawn) { l.Shared = false },
		func(l *policy.Drawn) { l.ByMark = false },
	} {
		simpler := limit
		simplify(&simpler)
		if !reflect.DeepEqual(simpler, limit) {
			found = append(found, simpler)
		}
	}
	return found
}

func simplerVolleys(volley Volley) []Volley {
	var found []Volley
	for _, simplify := range []func(*Volley){
		func(v *Volley) { v.Hits = 1 },
		func(v *Volley) { v.Hits = max(1, v.Hits-1) },
		func(v *Volley) { v.After = 0 },
		func(v *Volley) { v.Together = false },
		func(v *Volley) { v.Mark = "" },
		func(v *Volley) { v.Path = "" },
	} {
		simpler := volley
		simplify(&simpler)
		if simpler != volley && !slices.Contains(found, simpler) {
			found = append(found, simpler)
		}
	}
	return found
}

func (t Trial) clone() Trial {
	c := Trial{Limits: slices.Clone(t.Limits), Callers: slices.Clone(t.Callers)}
	for i := range c.Limits {
		c.Limits[i].Rates = slices.Clone(c.Limits[i].Rates)
	}
	for _, strand := range t.Strands {
		c.Strands = append(c.Strands, slices.Clone(strand))
	}
	return c
}
