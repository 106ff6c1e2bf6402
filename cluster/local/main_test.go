package local

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/floodgate-dev/floodgate/fixtures/standin/authorino"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
	"github.com/floodgate-dev/floodgate/fixtures/standin/journal"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
	"github.com/floodgate-dev/floodgate/fixtures/standin/llmd"
	"github.com/floodgate-dev/floodgate/fixtures/standin/skew"
)

// TestMain makes the test binary the executable that runs stand-ins and
// guards, as floodgate's own binary does.
func TestMain(m *testing.M) {
	if len(os.Args) < 3 || os.Args[1] != "standin" && os.Args[1] != GuardCommand {
		os.Exit(m.Run())
	}
	if os.Args[1] == GuardCommand {
		os.Exit(Guard(context.Background(), os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	run, ok := map[string]Main{
		"authorino": authorino.Main, "gateway": gateway.Main, "journal": journal.Main,
		"limitador": limitador.Main, "llmd": llmd.Main, "skew": skew.Main,
		// For tests of the provider itself.
		"stubborn": stubborn, "starter": starter,
	}[os.Args[2]]
	if !ok {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[3:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// stubborn is a program that does not end when it is asked to.
func stubborn(_ context.Context, args []string, _ io.Reader, stdout, _ io.Writer) int {
	if _, err := io.WriteString(stdout, "stubborn\n"); err != nil || len(args) > 0 {
		return 2
	}
	select {}
}

// starter starts a component, or the program that it is given, says its pid,
// and does not end it.
func starter(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	executable, err := os.Executable()
	if err != nil {
		return 1
	}
	log, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return 1
	}
	command := Command{StandIn: "stubborn"}
	if len(args) > 0 {
		command = Command{Program: args[0]}
	}
	process, err := newProcesses(executable).Launch(command, log)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	if _, err := fmt.Fprintln(stdout, process.PID()); err != nil {
		return 1
	}
	<-ctx.Done()
	return 0
}
