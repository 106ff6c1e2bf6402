package probe

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// MetricLabels is the CEL by which the limiter labels its metrics, and which
// of the labels names the caller. With telemetry it is what the operator
// writes, and the caller's label is the one whose expression keys the
// counters; without, the counters' own entry becomes "user": the first that a
// request has, where tiers count by different ones.
func MetricLabels(set *policy.Set) (cel, userLabel string) {
	user := set.UserExpression()
	if telemetry := set.Telemetry(); len(telemetry) > 0 {
		for label, expression := range telemetry {
			if expression == user && user != "" && (userLabel == "" || label < userLabel) {
				userLabel = label
			}
		}
		return "descriptors[1]", userLabel
	}
	if user == "" {
		return "", ""
	}
	value := ""
	for _, user := range slices.Backward(set.UserExpressions()) {
		entry := fmt.Sprintf("descriptors[0][%s]", strconv.Quote(user))
		if value == "" {
			value = entry
			continue
		}
		value = fmt.Sprintf("%s in descriptors[0] ? %s : %s", strconv.Quote(user), entry, value)
	}
	return fmt.Sprintf(`{"user": %s}`, value), metrics.DefaultUserLabel
}

// LimitsInForce returns nil if the limiter shows the policy's limits, all of
// them and no other in their namespaces and in those that are named besides.
func LimitsInForce(ctx context.Context, reader *metrics.Reader, base string, set *policy.Set, besides ...string) error {
	wanted := map[string][]string{}
	for _, namespace := range besides {
		wanted[namespace] = nil
	}
	seen := map[string]bool{}
	for _, l := range set.LimitadorLimits() {
		// Of limits with the same identity the limiter keeps the first
		// (sut.md 2.2).
		identity := fmt.Sprintf("%q %d %q %q", l.Namespace, l.Seconds, l.Conditions, l.Variables)
		if seen[identity] {
			continue
		}
		seen[identity] = true
		wanted[l.Namespace] = append(wanted[l.Namespace],
			limitLine(l.MaxValue, l.Seconds, l.Name, l.Conditions, l.Variables))
	}
	for namespace, want := range wanted {
		limits, err := reader.Limits(ctx, base, namespace)
		if err != nil {
			return err
		}
		var got []string
		for _, l := range limits {
			got = append(got, limitLine(l.MaxValue, l.Seconds, l.Name, l.Conditions, l.Variables))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return fmt.Errorf("in %s the limiter has %q, the policy says %q", namespace, got, want)
		}
	}
	return nil
}

// limitLine is a limit in a form in which two are compared: conditions and
// variables are sets.
func limitLine(maxValue, seconds int64, name string, conditions, variables []string) string {
	return fmt.Sprintf("%d per %d s %q if %q by %q", maxValue, seconds, name,
		slices.Sorted(slices.Values(conditions)), slices.Sorted(slices.Values(variables)))
}
