package local

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"

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
		if err := probe.LimiterAnswers(ctx, hostPort(ports[limiterPort])); err != nil {
			return err
		}
		return probe.LimitsInForce(ctx, u.reader, baseURL(ports[limiterHTTPPort]), v.set)
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
	v.up.Limiters = []string{baseURL(r.ports[limiterHTTPPort])}
	v.up.PrometheusInstances = []string{hostPort(r.ports[limiterHTTPPort])}
	v.up.UserLabel, v.up.LimitNames = userLabel, v.limitNames
	v.limiter = hostPort(r.ports[limiterPort])
	if v.scalable {
		return u.scaleLimiters(v, r, labels)
	}
	return nil
}

// exitUsage is the status of a program that refuses its arguments.
const exitUsage = 2
