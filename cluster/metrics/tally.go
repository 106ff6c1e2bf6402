package metrics

import (
	"fmt"
	"slices"
)

// The limiter's own metrics (sut.md 2.8), and what the forks append to the
// names of those that carry a user and a group (sut.md 1.4).
const (
	authorizedCalls = "authorized_calls"
	limitedCalls    = "limited_calls"
	authorizedHits  = "authorized_hits"
	limiterUp       = "limitador_up"

	forkSuffix = "_with_user_and_group"
)

// DefaultUserLabel is the label that names the caller in the limiter's
// metrics where nobody says otherwise: in every known dialect (sut.md 1.4).
const DefaultUserLabel = "user"

// callNames are all metrics that a tally is drawn from.
func callNames() []string {
	return []string{
		authorizedCalls, limitedCalls, authorizedHits,
		authorizedCalls + forkSuffix, limitedCalls + forkSuffix, authorizedHits + forkSuffix,
	}
}

// Calls are tallies of one caller, or a sum of them.
type Calls struct {
	// Authorized and Limited count decisions, Hits counts the units that were
	// admitted (sut.md 2.4).
	Authorized, Limited, Hits int64
}

func (c Calls) plus(o Calls) Calls {
	return Calls{c.Authorized + o.Authorized, c.Limited + o.Limited, c.Hits + o.Hits}
}

// Tally is what the limiter's metrics say.
type Tally struct {
	// Users maps the user label's value to its calls; nil where calls were counted
	// and no series has the label, empty where nothing was counted yet.
	Users map[string]Calls
	// Unlabelled are the calls of the series without it.
	Unlabelled Calls
	// Total is everything.
	Total Calls
	// Refusals are limited_calls by user and limit_name; nil where no series has
	// that label.
	Refusals map[string]map[string]int64
	// Namespaces are the decisions by user and by the limiter's namespace; nil
	// where no series has that label.
	Namespaces map[string]map[string]int64
}

// Plus is the sum of two instances' tallies.
func (t Tally) Plus(o Tally) Tally {
	sum := Tally{Unlabelled: t.Unlabelled.plus(o.Unlabelled), Total: t.Total.plus(o.Total)}
	for _, users := range []map[string]Calls{t.Users, o.Users} {
		for name, calls := range users {
			if sum.Users == nil {
				sum.Users = map[string]Calls{}
			}
			sum.Users[name] = sum.Users[name].plus(calls)
		}
	}
	if sum.Users == nil && sum.Total == (Calls{}) && sum.Unlabelled == (Calls{}) {
		// A counter appears with its first call (sut.md 2.8): a page without any
		// tells of every caller that it has none.
		sum.Users = map[string]Calls{}
	}
	sum.Refusals = bothOf(t.Refusals, o.Refusals)
	sum.Namespaces = bothOf(t.Namespaces, o.Namespaces)
	return sum
}

// bothOf is the sum of two tables, nil of none.
func bothOf(tables ...map[string]map[string]int64) map[string]map[string]int64 {
	var sum map[string]map[string]int64
	for _, table := range tables {
		for user, row := range table {
			for name, n := range row {
				add(&sum, user, name, n)
			}
		}
	}
	return sum
}

func add(table *map[string]map[string]int64, user, name string, n int64) {
	if *table == nil {
		*table = map[string]map[string]int64{}
	}
	if (*table)[user] == nil {
		(*table)[user] = map[string]int64{}
	}
	(*table)[user][name] += n
}

// limitName is the label that --limit-name-in-labels adds (sut.md 2.8).
const limitName = "limit_name"

// countRefusals sums limited_calls by the limit that they name.
func (t *Tally) countRefusals(samples []Sample, userLabel string) {
	named := slices.ContainsFunc(samples, func(s Sample) bool { _, ok := s.Labels[limitName]; return ok })
	for _, s := range samples {
		if named && s.Name == limitedCalls {
			add(&t.Refusals, s.Labels[userLabel], s.Labels[limitName], int64(s.Value))
		}
	}
}

// namespaceLabel is on every series of the limiter's own metrics (sut.md 2.8).
const namespaceLabel = "limitador_namespace"

// countNamespaces sums decisions by the namespace that the limiter was asked about.
func (t *Tally) countNamespaces(samples []Sample, userLabel string) {
	for _, s := range samples {
		namespace, named := s.Labels[namespaceLabel]
		if user, has := s.Labels[userLabel]; has && named && (s.Name == authorizedCalls || s.Name == limitedCalls) {
			add(&t.Namespaces, user, namespace, int64(s.Value))
		}
	}
}

// tally sums one instance's samples by user. userLabel "" stands for
// DefaultUserLabel. Of the namespaces it counts scopes alone, if there are any;
// Namespaces tells of all, so that calls that went astray are seen.
func tally(samples []Sample, userLabel string, scopes []string) (Tally, error) {
	if userLabel == "" {
		userLabel = DefaultUserLabel
	}
	var sum Tally
	sum.countNamespaces(samples, userLabel)
	samples = within(samples, scopes)
	for _, metric := range []struct {
		name  string
		calls func(int64) Calls
	}{
		{authorizedCalls, func(n int64) Calls { return Calls{Authorized: n} }},
		{limitedCalls, func(n int64) Calls { return Calls{Limited: n} }},
		{authorizedHits, func(n int64) Calls { return Calls{Hits: n} }},
	} {
		part, err := tallyOf(samples, metric.name, userLabel, metric.calls)
		if err != nil {
			return Tally{}, err
		}
		sum = sum.Plus(part)
	}
	sum.countRefusals(samples, userLabel)
	return sum, nil
}

// within leaves out the samples that name another namespace than these.
func within(samples []Sample, scopes []string) []Sample {
	if len(scopes) == 0 {
		return samples
	}
	return slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool {
		scope, named := s.Labels[namespaceLabel]
		return named && !slices.Contains(scopes, scope)
	})
}

// tallyOf sums one metric. A fork may print the same calls twice, under the
// plain name without a user and under its own name with one: then users are
// taken from the latter and the total from the former.
func tallyOf(samples []Sample, name, userLabel string, calls func(int64) Calls) (Tally, error) {
	plain, plainSeries, err := byUser(samples, name, userLabel, calls)
	if err != nil {
		return Tally{}, err
	}
	forked, forkedSeries, err := byUser(samples, name+forkSuffix, userLabel, calls)
	if err != nil {
		return Tally{}, err
	}
	switch {
	case forkedSeries == 0 || len(plain.Users) > 0:
		return plain, nil
	case plainSeries == 0:
		return forked, nil
	}
	merged := Tally{Users: forked.Users, Total: plain.Total, Unlabelled: plain.Total}
	for _, user := range forked.Users {
		merged.Unlabelled = merged.Unlabelled.plus(Calls{-user.Authorized, -user.Limited, -user.Hits})
	}
	if merged.Unlabelled.Authorized < 0 || merged.Unlabelled.Limited < 0 || merged.Unlabelled.Hits < 0 {
		return Tally{}, fmt.Errorf("%s%s counts more than %s", name, forkSuffix, name)
	}
	return merged, nil
}

func byUser(samples []Sample, name, userLabel string, calls func(int64) Calls) (sum Tally, series int, err error) {
	var total, unlabelled int64
	users := map[string]int64{}
	for _, sample := range samples {
		if sample.Name != name {
			continue
		}
		series++
		if total, err = sample.addTo(total); err != nil {
			return Tally{}, 0, err
		}
		if user, ok := sample.Labels[userLabel]; ok {
			users[user] += int64(sample.Value)
		} else {
			unlabelled += int64(sample.Value)
		}
	}
	sum = Tally{Total: calls(total), Unlabelled: calls(unlabelled)}
	for user, n := range users {
		if sum.Users == nil {
			sum.Users = make(map[string]Calls, len(users))
		}
		sum.Users[user] = calls(n)
	}
	return sum, series, nil
}
