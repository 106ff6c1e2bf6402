package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// GuardCommand is the hidden command under which an executable must call Guard.
const GuardCommand = "guard"

// Guard runs "-- PROGRAM ARGS..." and kills it, with all that it started, when
// stdin ends: the process that holds the other end is gone, however it went. It
// passes SIGINT and SIGTERM on and returns the program's exit status. With
// "groups" it does the same for process groups that stdin names.
func Guard(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == groupsArgument {
		sweep(stdin)
		return 0
	}
	if len(args) < 2 || args[0] != "--" {
		_, _ = fmt.Fprintf(stderr, "usage: %s -- PROGRAM ARGS...\n", GuardCommand)
		return 2
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, stdin)
	}()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	// The context's end kills the program.
	cmd := exec.CommandContext(ctx, args[1], args[2:]...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 127
	}
	guarded := watch(cmd, cancel, func() {})
	// It also ends what is left of the group when the program has ended.
	defer context.AfterFunc(ctx, func() { _ = guarded.group.signal(syscall.SIGKILL) })()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case received := <-signals:
				_ = guarded.Signal(received)
			}
		}
	}()
	<-guarded.Done()
	err := guarded.Err()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode()
	default:
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
}

// startGuarded starts a program under a guard. The guard's stdin is a pipe
// that this process holds: it closes when this process ends, or to kill.
func startGuarded(executable, name string, args []string, prepare func(*exec.Cmd)) (*child, error) {
	cmd := exec.Command(executable, append([]string{GuardCommand, "--", name}, args...)...)
	prepare(cmd)
	cmd.SysProcAttr = ownGroup()
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return watch(cmd, func() { _ = leash.Close() }, func() {}), nil
}
