package local

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

// Launcher starts components and ends them with its own life.
type Launcher interface {
	// Launch starts a component whose output goes to log.
	Launch(command Command, log *os.File) (Process, error)
	// Close is called once all processes have ended.
	Close()
}

// Command is what a component is started with: a program, or a stand-in.
type Command struct {
	// Program is the path of a real component, "" for a stand-in.
	Program string
	// StandIn is the stand-in's name, such as "limitador".
	StandIn string
	Args    []string
}

// Process is a component that was started.
type Process interface {
	// PID is 0 for a component without a process of its own.
	PID() int
	// Done is closed when the component has ended and left nothing behind.
	Done() <-chan struct{}
	// Err is why it ended, nil for a status of zero. It is valid after Done.
	Err() error
	// Signal asks it to end. A component that has ended is no error.
	Signal(signal os.Signal) error
	// Kill ends it without asking.
	Kill()
}

// Main is a stand-in's main function.
type Main func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int

// killDelay is how long a component may take to end before it is killed.
const killDelay = 5 * time.Second

// end stops a process and waits until it is gone. It kills it when it is still
// there after killDelay, or when ctx ends.
func end(ctx context.Context, p Process, signal os.Signal) error {
	if err := p.Signal(signal); err != nil {
		p.Kill()
	}
	patience := time.NewTimer(killDelay)
	defer patience.Stop()
	select {
	case <-p.Done():
		return nil
	case <-patience.C:
	case <-ctx.Done():
	}
	p.Kill()
	patience.Reset(killDelay)
	select {
	case <-p.Done():
		return nil
	case <-patience.C:
		return fmt.Errorf("process %d is still there after SIGKILL", p.PID())
	}
}

// plain are arguments that a shell takes as they are.
var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shell renders a command line that can be pasted.
func shell(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		if quoted[i] = word; !plain.MatchString(word) {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
