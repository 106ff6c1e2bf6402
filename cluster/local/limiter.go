package local

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"

	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

const limiter = "limitador"

// labelsOption is Limitador's since v2.1.0 (sut.md 2.8).
const labelsOption = "--metric-labels-default"

// headersOption makes Limitador send rate-limit headers (sut.md 2.6).
const headersOption = "--rate-limit-headers"

// metricLabels is the CEL by which the limiter labels its metrics, and which
// of the labels names the caller. With telemetry it is what the operator
// writes, and the caller's label is the one whose expression keys the
// counters; without, the counters' own entry becomes "user".
func metricLabels(set *policy.Set) (cel, userLabel string) {
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
	return fmt.Sprintf(`{"user": descriptors[0][%s]}`, strconv.Quote(user)), metrics.DefaultUserLabel
}

// limiterPart is a variant's limiter.
func (u *upping) limiterPart(v *variant, labels string) part {
	p := u.part(limiter, v.name)
	p.ports = []string{limiterPort, limiterHTTPPort}
	p.stop = interrupt
	p.args = func(ports map[string]int) []string {
		args := []string{
			"--rls-ip", loopback, "--rls-port", strconv.Itoa(ports[limiterPort]),
			"--http-ip", loopback, "--http-port", strconv.Itoa(ports[limiterHTTPPort]),
		}
		if labels != "" {
			args = append(args, labelsOption, labels)
		}
		if v.headers {
			args = append(args, headersOption, "DRAFT_VERSION_03")
		}
		args = append(args, u.faultArgs(p)...)
		return append(args, v.files.limits().path(), "memory")
	}
	p.ready = func(ctx context.Context, ports map[string]int) error {
		if len(p.faults) > 0 {
			return errors.Join(reachable(ctx, hostPort(ports[limiterPort])), answers(ctx, baseURL(ports[limiterHTTPPort])+"/status"))
		}
		if err := limiterAnswers(ctx, hostPort(ports[limiterPort])); err != nil {
			return err
		}
		return limitsInForce(ctx, u.reader, baseURL(ports[limiterHTTPPort]), v.set)
	}
	p.waiting = func(ports map[string]int) string {
		return fmt.Sprintf("a gRPC answer on %s and the policy's limits on %s/limits", hostPort(ports[limiterPort]), baseURL(ports[limiterHTTPPort]))
	}
	return p
}

// startLimiter starts a variant's limiter. A program that does not know
// labelsOption gets none, and then its metrics name no caller.
func (u *upping) startLimiter(ctx context.Context, v *variant) error {
	labels, userLabel := metricLabels(v.set)
	p := u.limiterPart(v, labels)
	r, err := u.stack.up(ctx, p)
	var exit *exec.ExitError
	if labels != "" && p.program != "" && errors.As(err, &exit) && exit.ExitCode() == exitUsage {
		u.stack.say("%-26s refuses %s (it came with v2.1.0): its metrics will name no caller", describe(p), labelsOption)
		userLabel = ""
		r, err = u.stack.up(ctx, u.limiterPart(v, ""))
	}
	if err != nil {
		return err
	}
	v.up.Limiters = []string{baseURL(r.ports[limiterHTTPPort])}
	v.up.PrometheusInstances = []string{hostPort(r.ports[limiterHTTPPort])}
	v.up.UserLabel = userLabel
	v.limiter = hostPort(r.ports[limiterPort])
	return nil
}

// exitUsage is the status of a program that refuses its arguments.
const exitUsage = 2

// limitsInForce returns nil if the limiter shows the policy's limits, all of
// them and no other in their namespaces and in those that are named besides.
func limitsInForce(ctx context.Context, reader *metrics.Reader, base string, set *policy.Set, besides ...string) error {
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
