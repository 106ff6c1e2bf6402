// Floodgate-pod is the program of our pods: stand-ins of the components of a
// system under test, and what fires attacks from inside a cluster.
package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/floodgate-dev/floodgate/cluster/interference"
	"github.com/floodgate-dev/floodgate/cluster/standin/follow"
	"github.com/floodgate-dev/floodgate/cluster/standin/operator"
	"github.com/floodgate-dev/floodgate/cluster/standin/targets"
	"github.com/floodgate-dev/floodgate/fixtures/standin/authorino"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
	"github.com/floodgate-dev/floodgate/fixtures/standin/journal"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
	"github.com/floodgate-dev/floodgate/fixtures/standin/llmd"
	"github.com/floodgate-dev/floodgate/suites/attack/crew"
)

type program func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int

// programs are what a pod can be, by name.
func programs() map[string]program {
	return map[string]program{
		"limitador":     limitador.Main,
		"authorino":     authorino.Main,
		"authorino-pod": follow.Authorino,
		"gateway":       gateway.Main,
		"gateway-pod":   follow.Gateway,
		"llmd":          llmd.Main,
		"journal":       journal.Main,
		"operator":      operator.Main,
		"targets":       targets.Main,
		"proxy":         interference.Main,
		"worker":        crew.Main,
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	all := programs()
	if len(args) == 0 || all[args[0]] == nil {
		_, _ = fmt.Fprintf(stderr, "usage: floodgate-pod NAME ARGUMENTS, NAME being one of %s\n", strings.Join(slices.Sorted(maps.Keys(all)), ", "))
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return all[args[0]](ctx, args[1:], stdin, stdout, stderr)
}
