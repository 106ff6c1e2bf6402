package local

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// starterOf starts a process that starts a component, or the program that it is
// given, and is its pid. The starter ends with the test, also when that fails.
func starterOf(t *testing.T, program ...string) (starter *exec.Cmd, pid int) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	starter = exec.Command(executable, append([]string{"standin", "starter"}, program...)...)
	output, err := starter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = starter.Process.Kill()
		// It was killed on purpose.
		_ = starter.Wait()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err = strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return starter, pid
}

// Whoever starts components and is killed takes them along.
func TestComponentsDieWithTheirStarter(t *testing.T) {
	starter, pid := starterOf(t)
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the component is not there: %v", err)
	}
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, "the component's end", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid) })
}

// Also what a script that was given has started in turn.
func TestWrappedProgramsDieWithTheirStarter(t *testing.T) {
	path, groupFile := wrapper(t, "sleep 1000")
	starter, _ := starterOf(t, path)
	g := groupIn(t, groupFile)
	if !g.alive() {
		t.Error("the program is not there")
	}
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, "the program's end", func() bool { return !g.alive() })
}

// What has ended, and a number that is no group's, are left alone.
func TestSweepKillsWhatIsLeft(t *testing.T) {
	var groups []group
	for range 2 {
		sleep := exec.Command("sleep", "1000")
		sleep.SysProcAttr = ownGroup()
		if err := sleep.Start(); err != nil {
			t.Fatal(err)
		}
		g := group(sleep.Process.Pid)
		t.Cleanup(func() {
			_ = g.signal(syscall.SIGKILL)
			// It was killed on purpose.
			_ = sleep.Wait()
		})
		groups = append(groups, g)
	}
	sweep(strings.NewReader(fmt.Sprintf("+%d\n+%d\n-%d\nnonsense\n", groups[0], groups[1], groups[0])))
	await(t, "the end of the group that is left", func() bool { return !groups[1].alive() })
	if !groups[0].alive() {
		t.Error("the group that was taken back was killed")
	}
}

// zombie: the component has ended, but whoever inherited it has not reaped it.
func zombie(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(status), ") Z ")
}

// A start that fails leaves no process of ours behind.
func TestFailedStartLeavesNoProcess(t *testing.T) {
	broken := program(t, "limitador", "exit 1")
	if _, err := (&Provider{}).Up(t.Context(), optionsWith(t, map[string]string{limiter: broken})); err == nil {
		t.Fatal("no error")
	}
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(lists) == 0 {
		t.Fatalf("no list of children: %v", err)
	}
	for _, list := range lists {
		// A thread that has ended meanwhile has no children.
		if children, err := os.ReadFile(list); err == nil && len(strings.TrimSpace(string(children))) > 0 {
			t.Errorf("processes %s are left", children)
		}
	}
}
