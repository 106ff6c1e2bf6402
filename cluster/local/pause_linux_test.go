package local

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// stopped tells whether a process is held.
func stopped(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	return bytes.HasPrefix(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" T "))
}

func TestPauseHoldsAndLetsGo(t *testing.T) {
	ours, theirs, _ := standing(t)
	pid := component(t, ours.Stack(), limiter).PID
	paused := make(chan error, 1)
	go func() { paused <- theirs.Pause(t.Context(), limiter, time.Second) }()
	await(t, "the limiter to be held", func() bool { return stopped(pid) })
	if err := <-paused; err != nil {
		t.Fatal(err)
	}
	if stopped(pid) {
		t.Error("the pause is over, and it is still held")
	}
}

// Who no longer wants the answer does not leave a component held.
func TestPauseEndsWithItsContext(t *testing.T) {
	ours, _, _ := standing(t)
	pid := component(t, ours.Stack(), limiter).PID
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	paused := make(chan error, 1)
	go func() { paused <- ours.Pause(ctx, limiter, longestPause) }()
	await(t, "the limiter to be held", func() bool { return stopped(pid) })
	cancel()
	if err := <-paused; err == nil {
		t.Error("the pause was cut short: no error")
	}
	if stopped(pid) {
		t.Error("it is still held")
	}
}

// Down ends what is held as it ends everything, without waiting for SIGKILL's turn.
func TestDownEndsWhatIsHeld(t *testing.T) {
	ours, theirs, _ := standing(t)
	pid := component(t, ours.Stack(), limiter).PID
	paused := make(chan error, 1)
	go func() { paused <- theirs.Pause(t.Context(), limiter, longestPause) }()
	await(t, "the limiter to be held", func() bool { return stopped(pid) })
	if err := ours.Down(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if syscall.Kill(pid, 0) == nil && !zombie(pid) {
		t.Error("the limiter is still there")
	}
	// It ends; whether it could still let go does not matter, its limiter is gone.
	t.Log("pause:", <-paused)
}

// Whoever is killed takes along what it held, also where the program is a script.
func TestHeldComponentsDieWithTheirStarter(t *testing.T) {
	// The script starts nothing more once its group is known: a shell whose child
	// is held between vfork and exec is not held itself, it waits for that child.
	path, groupFile := wrapper(t, "wait")
	for _, program := range [][]string{nil, {path}} {
		starter, pid := starterOf(t, program...)
		g := group(pid)
		if program != nil {
			g = groupIn(t, groupFile)
		}
		if err := g.signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		await(t, "the component to be held", func() bool { return stopped(pid) })
		if err := starter.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		await(t, "the component's end", func() bool { return !g.alive() })
	}
}
