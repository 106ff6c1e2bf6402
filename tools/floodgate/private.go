package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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

func removeOrphans(dir string) {
	folders, _ := filepath.Glob(filepath.Join(dir, privatePrefix+"*-*"))
	for _, folder := range folders {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), privatePrefix), "-")
		pid, err := strconv.Atoi(owner)
		if err != nil || pid <= 1 {
			continue
		}
		// Signal 0 only asks whether the process exists.
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(folder)
		}
	}
}
