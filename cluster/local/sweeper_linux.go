package local

import (
	"fmt"
	"io"
	"os/exec"
)

// sweeper is a process that outlives floodgate for an instant, to end the groups
// of the programs that were given: the parent-death signal ends a group's leader
// only, which may be a script.
type sweeper struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

func startSweeper(executable string) (*sweeper, error) {
	cmd := exec.Command(executable, GuardCommand, groupsArgument)
	cmd.Env = environment()
	cmd.SysProcAttr = ownGroup()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start what ends programs when floodgate is killed: %w", err)
	}
	return &sweeper{cmd, stdin}, nil
}

// started and ended keep the list. One who cannot be told has gone, and with it
// the help against a SIGKILL, which is no reason to end a run.
func (s *sweeper) started(g group) { _, _ = fmt.Fprintf(s.stdin, "+%d\n", g) }
func (s *sweeper) ended(g group)   { _, _ = fmt.Fprintf(s.stdin, "-%d\n", g) }

func (s *sweeper) close() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait()
}
