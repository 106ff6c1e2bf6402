package local

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// group is a process group, by its leader's pid. A program that is given may be
// a script that starts the component as a child: what is meant for a component
// goes to its whole group.
type group int

// ownGroup makes a process the leader of a group.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// signal signals every process of the group; none left is no error.
func (g group) signal(signal syscall.Signal) error {
	if err := syscall.Kill(-int(g), signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// alive tells whether a process of the group runs. One that has ended and was
// not reaped by its parent does not count where there is procfs.
func (g group) alive() bool {
	if syscall.Kill(-int(g), 0) != nil {
		return false
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if text, err := os.ReadFile(path); err == nil && g.runs(text) {
			return true
		}
	}
	return len(stats) == 0
}

// runs tells whether a line of /proc/PID/stat is of a process of the group that
// has not ended.
func (g group) runs(stat []byte) bool {
	// "PID (NAME) STATE PPID GROUP ...", where the name may hold anything.
	const state, groupField = 0, 2
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(fields) > groupField && string(fields[groupField]) == strconv.Itoa(int(g)) &&
		!bytes.ContainsAny(fields[state], "ZX")
}
