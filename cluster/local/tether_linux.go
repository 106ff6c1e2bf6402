package local

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// tether ties the components' lives to floodgate's by the kernel's
// parent-death signal. It fires when the thread that started them ends, so
// they are all started by one thread that outlives them. What programs that were
// given start in turn is the sweeper's.
type tether struct {
	executable string
	work       chan func()

	mu      sync.Mutex
	sweeper *sweeper
}

func newTether(executable string) *tether {
	t := &tether{executable: executable, work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for task := range t.work {
			task()
		}
	}()
	return t
}

func (t *tether) start(name string, args []string, prepare func(*exec.Cmd)) (*child, error) {
	ended := func(group) {}
	began := ended
	if name != t.executable {
		s, err := t.sweeping()
		if err != nil {
			return nil, err
		}
		began, ended = s.started, s.ended
	}
	cmd := exec.Command(name, args...)
	prepare(cmd)
	cmd.SysProcAttr = ownGroup()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	t.work <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	g := group(cmd.Process.Pid)
	began(g)
	return watch(cmd, func() { _ = g.signal(syscall.SIGKILL) }, func() { ended(g) }), nil
}

// sweeping is the sweeper, which is started for the first program.
func (t *tether) sweeping() (*sweeper, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sweeper == nil {
		s, err := startSweeper(t.executable)
		if err != nil {
			return nil, err
		}
		t.sweeper = s
	}
	return t.sweeper, nil
}

func (t *tether) close() {
	close(t.work)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sweeper != nil {
		t.sweeper.close()
	}
}
