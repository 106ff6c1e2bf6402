package local

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/floodgate-dev/floodgate/cluster/probe"
)

const limiter = "limitador"

// labelsOption is Limitador's since v2.1.0 (sut.md 2.8).
const labelsOption = "--metric-labels-default"

// headersOption makes Limitador send rate-limit headers (sut.md 2.6).
const headersOption = "--rate-limit-headers"

// namesOption makes Limitador name limits in limited_calls (sut.md 2.8).
const namesOption = "--limit-name-in-labels"

// windowModelOption is the stand-in's.
const windowModelOption = "--window-model"

// limiterPart is a variant's limiter.
func (u *upping) limiterPart(v *variant, labels string) part {
	p := u.part(limiter, v.name)
	p.ports = []string{limiterPort, limiterHTTPPort}
	p.servers = v.limiters
	for n := 2; n <= v.limiters; n++ {
		p.ports = append(p.ports, nth(limiterPort, n), nth(limiterHTTPPort, n))
	}
	p.stop = interrupt
	if p.program == "" {
		p.windowModel = v.windowModel
	}
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
		if v.limitNames {
			args = append(args, namesOption)
		}
		if p.windowModel != "" {
			args = append(args, windowModelOption, p.windowModel)
		}
		for n := 2; n <= v.limiters; n++ {
			args = append(args, "--replica", hostPort(ports[nth(limiterPort, n)])+","+hostPort(ports[nth(limiterHTTPPort, n)]))
		}
		if v.interfered && p.program == "" {
			args = append(args, "--clock-offset", v.files.clockOffset())
		}
		args = append(args, u.faultArgs(p)...)
		return append(args, v.files.limits().path(), "memory")
	}
	p.ready = func(ctx context.Context, ports map[string]int) error {
		if len(p.faults) > 0 {
			return errors.Join(probe.Reachable(ctx, hostPort(ports[limiterPort])), probe.Answers(ctx, baseURL(ports[limiterHTTPPort])+"/status"))
		}
		for n := 1; n <= v.limiters; n++ {
			if err := probe.LimiterAnswers(ctx, hostPort(ports[nth(limiterPort, n)])); err != nil {
				return err
			}
			if err := probe.LimitsInForce(ctx, u.reader, baseURL(ports[nth(limiterHTTPPort, n)]), v.set); err != nil {
				return err
			}
		}
		return nil
	}
	p.waiting = func(ports map[string]int) string {
		return fmt.Sprintf("a gRPC answer on %s and the policy's limits on %s/limits", hostPort(ports[limiterPort]), baseURL(ports[limiterHTTPPort]))
	}
	return p
}

// startLimiter starts a variant's limiter. A program that does not know
// labelsOption gets none, and then its metrics name no caller.
func (u *upping) startLimiter(ctx context.Context, v *variant) error {
	labels, userLabel := probe.MetricLabels(v.set)
	if v.interfered && u.options.Programs[limiter] == "" {
		if err := writeAtomically(v.files.clockOffset(), []byte("0s")); err != nil {
			return err
		}
	}
	p := u.limiterPart(v, labels)
	r, err := u.stack.up(ctx, p)
	var exit *exec.ExitError
	if labels != "" && p.program != "" && errors.As(err, &exit) && exit.ExitCode() == exitUsage {
		u.stack.say("%-26s refuses %s (it came with v2.1.0): its metrics will name no caller", describe(p), labelsOption)
		userLabel, labels = "", ""
		r, err = u.stack.up(ctx, u.limiterPart(v, labels))
	}
	if err != nil {
		return err
	}
	for n := 1; n <= v.limiters; n++ {
		v.up.Limiters = append(v.up.Limiters, baseURL(r.ports[nth(limiterHTTPPort, n)]))
		v.up.PrometheusInstances = append(v.up.PrometheusInstances, hostPort(r.ports[nth(limiterHTTPPort, n)]))
	}
	v.up.UserLabel, v.up.LimitNames = userLabel, v.limitNames
	v.limiter = hostPort(r.ports[limiterPort])
	if v.limiters == 1 {
		v.up.LimiterGRPC = v.limiter
	}
	switch {
	case v.scalable:
		return u.scaleLimiters(v, r, labels)
	case v.limiters > 1:
		v.limiter = endpointsOption + v.files.endpoints()
		return writeAtomically(v.files.endpoints(), []byte(strings.Join(limiterCalls(v, r), "\n")))
	}
	return nil
}

// limiterCalls are where the limiters of a process are called.
func limiterCalls(v *variant, r *running) []string {
	var calls []string
	for n := 1; n <= v.limiters; n++ {
		calls = append(calls, hostPort(r.ports[nth(limiterPort, n)]))
	}
	return calls
}

// endpointsOption has a gateway follow a file of addresses.
const endpointsOption = "file:"

// exitUsage is the status of a program that refuses its arguments.
const exitUsage = 2
