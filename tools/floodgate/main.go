// Floodgate proves that the rate limits in front of an LLM service do what the
// policy says while the service is under load.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/floodgate-dev/floodgate/suites/conformance"
)

// The exit codes of design and README.
const (
	exitPass         = 0
	exitFail         = 1
	exitUsage        = 2
	exitInconclusive = 3
	exitStack        = 4
)

func main() { os.Exit(Main()) }

// Main is the program; its tests run it in processes of their own.
func Main() int {
	// Ginkgo's runner starts its spec processes under this name.
	if filepath.Base(os.Args[0]) == conformance.Program {
		return conformance.Main(os.Args[1:])
	}
	// A reader of our output that goes away must not keep a run from ending in
	// order: with SIGPIPE ignored it is an error of a write.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	// Whoever asks twice means it.
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// exit ends a command with a code of its own.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand(stdin, stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var coded *exit
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &coded):
		if coded.err != nil {
			fmt.Fprintf(stderr, "floodgate: %v\n", coded.err)
		}
		return coded.code
	}
	fmt.Fprintf(stderr, "floodgate: %v\n", err)
	return exitUsage
}
