package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/floodgate-dev/floodgate/cluster/kubernetes"
)

// privatePrefix begins the names of folders that hold keys; the owner's process
// id follows, so that what a killed run leaves can be told from what is in use.
const privatePrefix = "floodgate-"

// makePrivate makes a folder that only this user can read, and removes those
// that runs have left which are gone.
func makePrivate() (string, error) {
	removeOrphans(os.TempDir())
	return os.MkdirTemp("", fmt.Sprintf("%s%d-", privatePrefix, os.Getpid()))
}

// removeOrphans removes the folders of runs that are gone, but for those that say
// what such a run has left in a cluster: floodgate down takes that back.
func removeOrphans(dir string) {
	gone, _ := orphans(dir)
	for _, folder := range gone {
		_ = os.RemoveAll(folder)
	}
}

// takeBackOrphans undoes what runs that are gone have left in clusters, and
// removes their folders.
func takeBackOrphans(ctx context.Context, dir string, out io.Writer) error {
	_, left := orphans(dir)
	var errs []error
	for _, folder := range left {
		if err := kubernetes.TakeBack(ctx, folder); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, os.RemoveAll(folder))
		fmt.Fprintln(out, "what a run that was killed had left in a cluster is taken back")
	}
	return errors.Join(errs...)
}

// orphans are the folders of runs that are gone; left are those of them that
// have changed a cluster which is not theirs.
func orphans(dir string) (gone, left []string) {
	folders, _ := filepath.Glob(filepath.Join(dir, privatePrefix+"*-*"))
	for _, folder := range folders {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), privatePrefix), "-")
		pid, err := strconv.Atoi(owner)
		if err != nil || pid <= 1 {
			continue
		}
		if !hasEnded(pid) {
			continue
		}
		if kubernetes.Changed(folder, providerExisting) {
			left = append(left, folder)
		} else {
			gone = append(gone, folder)
		}
	}
	return gone, left
}

// hasEnded tells whether a process is no more. One that only waits for its parent
// to ask how it ended is no more either: in a container, nobody may ever ask.
func hasEnded(pid int) bool {
	// Signal 0 only asks whether the process exists.
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	// proc(5): the state follows the name, which is in parentheses. Elsewhere than
	// on Linux there is no such file.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}
