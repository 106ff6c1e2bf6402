package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
)

// Provider brings stacks up on loopback. The zero value runs every component
// as a process of its own, stand-ins by the running executable.
type Provider struct {
	// Label is the provider's name, "local" if it is empty.
	Label string
	// Executable is the program whose command "standin NAME ARGS..." is a
	// stand-in and whose GuardCommand calls Guard; "" is the running one.
	Executable string
	// NewLauncher makes what starts a stack's components; nil starts processes.
	NewLauncher func() Launcher
}

// Name is what --provider says.
func (p *Provider) Name() string {
	if p.Label == "" {
		return "local"
	}
	return p.Label
}

// Up brings the stack up or leaves nothing behind.
func (p *Provider) Up(ctx context.Context, options cluster.Options) (cluster.System, error) {
	executable := p.Executable
	if executable == "" {
		var err error
		if executable, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find the program that runs stand-ins: %w", err)
		}
	}
	options, err := checked(options)
	if err != nil {
		return nil, err
	}
	ports, err := newAllocator(options.Ports)
	if err != nil {
		return nil, err
	}
	logs := filepath.Join(options.RunDir, "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of the logs: %w", err)
	}
	state, err := privateFolder(options.StateDir)
	if err != nil {
		return nil, err
	}
	var launcher Launcher
	if p.NewLauncher != nil {
		launcher = p.NewLauncher()
	} else {
		launcher = newProcesses(executable)
	}
	u := &upping{
		options: options, state: state, reader: metrics.NewReader(nil), versions: map[string]string{},
		stack: newStack(launcher, executable, ports, logs, state, options.Progress),
	}
	s := &system{attached: newAttached(cluster.Stack{State: state}, u.reader), stack: u.stack}
	s.do = u.stack.carryOut
	if err := u.everything(ctx); err != nil {
		return nil, errors.Join(err, s.Down(context.WithoutCancel(ctx)))
	}
	s.up = u.described(p.Name())
	if s.control, err = newControl(ctx, state, u.stack.carryOut); err != nil {
		u.stack.say("no other process can restart components: %v", err)
	}
	return s, nil
}
