package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/probe"
)

// misplacedPatience is how long a limiter without its gRPC port is watched: the
// real one answers /status 12 ms after its start.
const misplacedPatience = 2 * time.Second

// StartOnTakenPort starts one more limiter like the variant's, faults included,
// on a gRPC port that this process holds.
func (a *attached) StartOnTakenPort(ctx context.Context, variant string) (cluster.Misplaced, error) {
	var shown cluster.Misplaced
	_, files, err := a.variant(variant)
	if err != nil {
		return shown, err
	}
	name := componentName(limiter, variant)
	i := slices.IndexFunc(a.up.Components, func(c cluster.Component) bool { return c.Name == name })
	if i < 0 || a.up.Components[i].PID == 0 {
		return shown, fmt.Errorf("start one more %s: it is no process of its own: %w", name, errors.ErrUnsupported)
	}
	holder, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return shown, fmt.Errorf("hold a port: %w", err)
	}
	defer func() { _ = holder.Close() }()
	ports, err := newAllocator(nil)
	if err != nil {
		return shown, err
	}
	httpPort, _, err := ports.take(limiterHTTPPort, false)
	if err != nil {
		return shown, err
	}
	command := misplacedCommand(a.up.Components[i], files, holder.Addr().(*net.TCPAddr).Port, httpPort) //nolint:errcheck // a TCP listener's address
	process, finish, err := a.launchBeside(command)
	if err != nil {
		return shown, err
	}
	shown = watchMisplaced(ctx, process, holder.Addr().String(), httpPort)
	return shown, errors.Join(end(context.WithoutCancel(ctx), process, interrupt), finish())
}

func misplacedCommand(like cluster.Component, files variantFiles, grpcPort, httpPort int) Command {
	args := []string{
		"--rls-ip", loopback, "--rls-port", strconv.Itoa(grpcPort),
		"--http-ip", loopback, "--http-port", strconv.Itoa(httpPort),
	}
	for _, fault := range like.Faults {
		args = append(args, "--fault", fault)
	}
	return Command{Program: like.Path, StandIn: limiter, Args: append(args, files.limits().path(), "memory")}
}

// launchBeside starts a process of this one's, which ends with it; its output
// goes to a file of the private folder.
func (a *attached) launchBeside(command Command) (process Process, finish func() error, err error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find the program that runs stand-ins: %w", err)
	}
	log, err := os.CreateTemp(a.up.State, "beside-*.log")
	if err != nil {
		return nil, nil, err
	}
	launcher := newProcesses(executable)
	finish = func() error {
		launcher.Close()
		return errors.Join(log.Close(), os.Remove(log.Name()))
	}
	process, err = launcher.Launch(command, log)
	if err != nil {
		return nil, nil, errors.Join(err, finish())
	}
	return process, finish, nil
}

// watchMisplaced watches until the process ends, or says that it is well, or
// patience is over.
func watchMisplaced(ctx context.Context, process Process, address string, httpPort int) (shown cluster.Misplaced) {
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, misplacedPatience)
	defer cancel()
	tick := time.NewTicker(probe.Interval)
	defer tick.Stop()
	for bounded.Err() == nil && !shown.Ended && shown.Status != http.StatusOK {
		select {
		case <-process.Done():
			shown.Ended, shown.How = true, "with status 0"
			if err := process.Err(); err != nil {
				shown.How = err.Error()
			}
		case <-bounded.Done():
		case <-tick.C:
			shown.Status = statusOf(bounded, baseURL(httpPort)+"/status")
		}
	}
	if !shown.Ended {
		asked, stop := context.WithTimeout(ctx, probe.Timeout)
		defer stop()
		shown.Serves = probe.LimiterAnswers(asked, address) == nil
	}
	shown.Watched = time.Since(began)
	return shown
}

// statusOf is the status of a GET's answer, 0 without one.
func statusOf(ctx context.Context, address string) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: probe.Timeout}
	answer, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}
