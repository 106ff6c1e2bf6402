package double

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/floodgate-dev/floodgate/cluster/local"
	"github.com/floodgate-dev/floodgate/fixtures/standin/authorino"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
	"github.com/floodgate-dev/floodgate/fixtures/standin/journal"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
	"github.com/floodgate-dev/floodgate/fixtures/standin/llmd"
)

// goroutines launches stand-ins as goroutines.
type goroutines struct{}

// main is a stand-in's main function, nil for an unknown name.
func main(name string) local.Main {
	switch name {
	case "authorino":
		return authorino.Main
	case "gateway":
		return gateway.Main
	case "journal":
		return journal.Main
	case "limitador":
		return limitador.Main
	case "llmd":
		return llmd.Main
	default:
		return nil
	}
}

func (goroutines) Launch(command local.Command, log *os.File) (local.Process, error) {
	run := main(command.StandIn)
	if run == nil {
		return nil, fmt.Errorf("there is no stand-in %q", command.StandIn)
	}
	// The caller closes its file at once, as for a process that has its own.
	output, err := os.OpenFile(log.Name(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &goroutine{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		defer cancel()
		if code := run(ctx, command.Args, strings.NewReader(""), output, output); code != 0 {
			p.err = fmt.Errorf("exit status %d", code)
		}
		if err := output.Close(); err != nil && p.err == nil {
			p.err = err
		}
	}()
	return p, nil
}

func (goroutines) Close() {}

// goroutine is a stand-in that runs in this process.
type goroutine struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

func (*goroutine) PID() int                { return 0 }
func (g *goroutine) Done() <-chan struct{} { return g.done }
func (g *goroutine) Err() error            { return g.err }
func (g *goroutine) Kill()                 { g.cancel() }

func (g *goroutine) Signal(os.Signal) error {
	g.cancel()
	return nil
}
