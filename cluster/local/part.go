package local

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/floodgate-dev/floodgate/cluster"
)

// part is a component as it is to be started.
type part struct {
	// name is the component's, such as "limitador@twin".
	name string
	// program and standIn are as in Command.
	program string
	standIn string
	version string
	// faults are what the stand-in is to do wrong.
	faults []string
	// manners are what it is to do its own way.
	manners []string
	// servers is how many of the stand-in there are in its process, 0 for one.
	servers int
	// windowModel is how the stand-in counts, "" if as the real one does.
	windowModel string
	// ports are the names of the ports that it needs; its main port is first.
	ports []string
	// fixed is true if Options.Ports holds for this part's ports.
	fixed bool
	args  func(ports map[string]int) []string
	// ready is asked again and again until it returns nil. It must not spend
	// the quota of anybody.
	ready func(ctx context.Context, ports map[string]int) error
	// waiting says in words what ready waits for.
	waiting func(ports map[string]int) string
	// stop is the signal that ends it.
	stop os.Signal
}

// The signals that end components. Limitador goes on serving for up to 30
// seconds after SIGTERM (sut.md 2.9).
var (
	terminate os.Signal = syscall.SIGTERM
	interrupt os.Signal = os.Interrupt
)

func (p part) command(ports map[string]int) Command {
	return Command{Program: p.program, StandIn: p.standIn, Args: p.args(ports)}
}

func (p part) component(pid int, log string) cluster.Component {
	c := cluster.Component{
		Name: p.name, Origin: cluster.StandIn, Version: spoken(p.standIn),
		Faults: p.faults, Manners: p.manners, WindowModel: p.windowModel, PID: pid, Log: log,
	}
	if p.servers > 1 {
		c.Version += fmt.Sprintf(", %d over one store", p.servers)
	}
	if p.program != "" {
		c.Origin, c.Version, c.Path = cluster.Real, p.version, p.program
	}
	return c
}

// spoken says which release's protocol a stand-in speaks: the one whose
// recorded answers its tests hold it to.
func spoken(standIn string) string {
	switch standIn {
	case limiter:
		return "speaks v2.4.0"
	case authorizer:
		return "speaks v0.26.2"
	case gatewayComponent:
		return "speaks wasm-shim v0.14.1"
	case modelServer:
		return "speaks v0.9.2"
	case skewStandIn:
		return "shows another time"
	}
	return ""
}

// componentName is the name of a variant's component: plain for the user's own
// policy, with the variant's name for others.
func componentName(component, variant string) string {
	if variant == mainVariant {
		return component
	}
	return component + "@" + variant
}

// mainVariant is the policy that the user gave; Options.Ports are its ports.
const mainVariant = "policy"
