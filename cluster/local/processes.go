package local

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/floodgate-dev/floodgate/cluster/probe"
)

// processes launches every component as a process of its own, in a process
// group of its own: an interrupt typed at the terminal reaches floodgate only,
// which then ends the components in order. If floodgate is killed, they are
// killed too; how, depends on the system: see tether.
type processes struct {
	// executable runs stand-ins: "<executable> standin NAME ARGS...".
	executable string
	tether     *tether
}

func newProcesses(executable string) *processes {
	return &processes{executable, newTether(executable)}
}

func (l *processes) Launch(command Command, log *os.File) (Process, error) {
	name, args := l.words(command)
	return l.tether.start(name, args, func(cmd *exec.Cmd) {
		cmd.Stdout, cmd.Stderr = log, log
		cmd.Env = environment()
	})
}

func (l *processes) Close() { l.tether.close() }

func (l *processes) words(command Command) (name string, args []string) {
	if command.Program != "" {
		return command.Program, command.Args
	}
	return l.executable, append([]string{"standin", command.StandIn}, command.Args...)
}

// environment passes on what programs need to run, and none of the variables
// by which the components can be configured (sut.md 2.10): a run means the
// same wherever it is started.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "PATH", "HOME", "USER", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "GOCOVERDIR":
			kept = append(kept, variable)
		}
	}
	return kept
}

// child is a started process, which leads a group of its own.
type child struct {
	cmd   *exec.Cmd
	group group
	kill  func()
	// asked is true once the group was signalled.
	asked atomic.Bool
	// paused is true while the group is held. Only where components are children of
	// this process can they be.
	paused atomic.Bool
	done   chan struct{}
	err    error
}

// watch reaps the process, and what it leaves behind, and then says that both
// have ended.
func watch(cmd *exec.Cmd, kill, ended func()) *child {
	c := &child{cmd: cmd, group: group(cmd.Process.Pid), kill: kill, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = cmd.Wait()
		c.empty()
		ended()
	}()
	return c
}

// empty returns when nothing of the group runs any more. What a program leaves
// behind that ended on its own is killed; where the group was asked to end, its
// others may take the time that a component has for that.
func (c *child) empty() {
	tick := time.NewTicker(probe.Interval)
	defer tick.Stop()
	for c.group.alive() {
		if !c.asked.Load() {
			_ = c.group.signal(syscall.SIGKILL)
		}
		<-tick.C
	}
}

func (c *child) PID() int              { return c.cmd.Process.Pid }
func (c *child) Done() <-chan struct{} { return c.done }
func (c *child) Err() error            { return c.err }

// Kill kills the whole group.
func (c *child) Kill() {
	select {
	case <-c.done:
	default:
		c.kill()
	}
}

// Signal signals the whole group: which of its processes is the component, only
// the program knows.
func (c *child) Signal(signal os.Signal) error {
	select {
	case <-c.done:
		return nil
	default:
	}
	number, ok := signal.(syscall.Signal)
	if !ok {
		return fmt.Errorf("signal process %d: %v is no signal of this system", c.PID(), signal)
	}
	c.asked.Store(true)
	if err := c.group.signal(number); err != nil {
		return fmt.Errorf("signal process %d: %w", c.PID(), err)
	}
	if c.paused.Load() {
		// A process that is held hears of nothing but SIGKILL.
		if err := c.group.signal(syscall.SIGCONT); err != nil {
			return fmt.Errorf("let process %d go on: %w", c.PID(), err)
		}
	}
	return nil
}
