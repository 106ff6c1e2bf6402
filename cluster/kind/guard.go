package kind

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// GuardCommand is the hidden command under which an executable must call Guard.
const GuardCommand = "cluster-guard"

// spared is what a guard is told when its cluster is not its business any more.
const spared = "spared"

// guardRetries is how often a guard looks again for nodes that were only being
// made when the cluster was deleted, guardPause the time between.
const (
	guardRetries = 5
	guardPause   = 2 * time.Second
)

// Guard deletes the cluster of the given name when stdin ends, unless it was
// told to spare it: the process that made the cluster is gone, however it went.
func Guard(args []string, stdin io.Reader, stderr io.Writer) int {
	if len(args) != 2 {
		_, _ = fmt.Fprintf(stderr, "usage: %s CLUSTER KUBECONFIG\n", GuardCommand)
		return 2
	}
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		if lines.Text() == spared {
			return 0
		}
	}
	c := NewCluster(args[1], io.Discard)
	c.name, c.made = args[0], true
	pause := time.NewTicker(guardPause)
	defer pause.Stop()
	for range guardRetries {
		if err := c.Destroy(context.Background()); err != nil {
			_, _ = fmt.Fprintln(stderr, err)
		}
		<-pause.C
		if there, err := c.Exists(); err == nil && !there {
			return 0
		}
	}
	return 1
}

// guard is a process that outlives this one for as long as it takes to delete
// the cluster.
type guard struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

// startGuard starts a guard in a session of its own, so that neither Ctrl-C nor
// the terminal's end reaches it.
func startGuard(executable, name, kubeconfig string) (*guard, error) {
	cmd := exec.Command(executable, GuardCommand, name, kubeconfig)
	cmd.Env = os.Environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start what deletes the cluster when floodgate is killed: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start what deletes the cluster when floodgate is killed: %w", err)
	}
	return &guard{cmd, stdin}, nil
}

// spare ends the guard and leaves the cluster alone.
func (g *guard) spare() {
	_, _ = fmt.Fprintln(g.stdin, spared)
	_ = g.stdin.Close()
	_ = g.cmd.Wait()
}

func (g *guard) spareIfThere() {
	if g != nil {
		g.spare()
	}
}
