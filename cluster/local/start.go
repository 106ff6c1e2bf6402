package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/probe"
)

const (
	// startPatience is how long a component may take to be ready. The slowest
	// one measured, Prometheus, took 0.9 s on an idle machine.
	startPatience = 30 * time.Second
	// portAttempts is how often a component is started when somebody else took
	// the port that the kernel had named.
	portAttempts = 3
)

// running is a component that was started.
type running struct {
	part    part
	ports   map[string]int
	process Process
	logPath string
}

// start brings a part up: it chooses ports, launches it and waits until it is
// ready. What it returns is running; what failed has ended.
func (s *stack) start(ctx context.Context, p part) (*running, error) {
	for attempt := 1; ; attempt++ {
		ports, fixed, err := s.takePorts(p)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		r, err := s.launch(ctx, p, ports)
		if err == nil {
			s.say("%-26s ready after %d ms at %s", describe(p), time.Since(began).Milliseconds(), hostPort(ports[p.ports[0]]))
			return r, nil
		}
		if !errors.Is(err, errPortTaken) || fixed || attempt == portAttempts {
			return nil, err
		}
		s.say("%-26s lost its port, trying another", describe(p))
	}
}

func (s *stack) takePorts(p part) (ports map[string]int, anyFixed bool, err error) {
	ports = map[string]int{}
	for _, name := range p.ports {
		port, fixed, err := s.ports.take(name, p.fixed)
		if taken, ok := errors.AsType[*takenError](err); ok {
			return nil, true, &cluster.StartError{
				Component: p.name, Cause: taken,
				Next: fmt.Sprintf("end what listens there, or choose another port for %s", name),
			}
		}
		if err != nil {
			return nil, false, &cluster.StartError{Component: p.name, Cause: err}
		}
		ports[name], anyFixed = port, anyFixed || fixed
	}
	return ports, anyFixed, nil
}

// errPortTaken is in the chain of a failed start that left a complaint about
// its address in the log.
var errPortTaken = errors.New("its port was taken in the meantime")

// addressInUse is how Go, Rust and C programs put it.
var addressInUse = regexp.MustCompile(`(?i)address (is )?already in use|EADDRINUSE`)

// launch starts a part on given ports and waits until it is ready.
func (s *stack) launch(ctx context.Context, p part, ports map[string]int) (*running, error) {
	logPath := filepath.Join(s.logs, p.name+".log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, &cluster.StartError{Component: p.name, Cause: err, Next: "the run's folder must be writable"}
	}
	// The process has the file too; this end is not needed any more.
	defer func() { _ = log.Close() }()

	process, err := s.launcher.Launch(p.command(ports), log)
	if err != nil {
		return nil, &cluster.StartError{
			Component: p.name, Command: s.commandLine(p, ports), Cause: err,
			Next: "the program must be an executable file for this system",
		}
	}
	r := &running{p, ports, process, logPath}
	if err := r.awaitReady(ctx); err != nil {
		err = errors.Join(err, end(context.WithoutCancel(ctx), process, p.stop))
		tail := s.tail(logPath)
		if addressInUse.MatchString(tail) {
			err = fmt.Errorf("%w: %w", errPortTaken, err)
		}
		return nil, &cluster.StartError{
			Component: p.name, Command: s.commandLine(p, ports), Waiting: p.waiting(ports), Log: tail, Cause: err,
			Next: "the whole log is in " + logPath,
		}
	}
	return r, nil
}

// awaitReady asks until the component is ready, has ended, or patience is
// over.
func (r *running) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("not ready after %s", startPatience))
	defer cancel()
	tick := time.NewTicker(probe.Interval)
	defer tick.Stop()
	last := errors.New("not asked yet")
	for {
		asked, stop := context.WithTimeout(ctx, probe.Timeout)
		err := r.part.ready(asked, r.ports)
		stop()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-r.process.Done():
			return ended(r.process)
		case <-ctx.Done():
			return fmt.Errorf("%w; the last answer: %w", context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// ended says how a process ended that should not have.
func ended(p Process) error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("it ended: %w", err)
	}
	return errors.New("it ended by itself, with status 0")
}

// commandLine is what was run, for people.
func (s *stack) commandLine(p part, ports map[string]int) string {
	if p.program != "" {
		return shell(append([]string{p.program}, p.args(ports)...)...)
	}
	return shell(append([]string{s.executable, "standin", p.standIn}, p.args(ports)...)...)
}

func describe(p part) string {
	if p.program == "" {
		return p.name + " (stand-in)"
	}
	return p.name + " " + p.version
}
