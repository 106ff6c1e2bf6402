//go:build !linux

package local

import "os/exec"

// tether ties the components' lives to floodgate's by a guard process for each
// of them; see Guard.
type tether struct{ executable string }

func newTether(executable string) *tether { return &tether{executable} }

func (t *tether) start(name string, args []string, prepare func(*exec.Cmd)) (*child, error) {
	return startGuarded(t.executable, name, args, prepare)
}

func (*tether) close() {}
