package charts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Name is the program's.
const Name = "floodgate-charts"

// errBuild is what to do where there is none.
var errBuild = errors.New("`make charts` builds it as bin/" + Name)

// Find returns the path of the charts' program: the given one, else the one
// beside this program, else the one in PATH.
func Find(given string) (string, error) {
	if given != "" {
		if err := runs(given); err != nil {
			return "", fmt.Errorf("the charts' program %s: %w; %w", given, err, errBuild)
		}
		return given, nil
	}
	if self, err := os.Executable(); err == nil {
		if beside := filepath.Join(filepath.Dir(self), Name); runs(beside) == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath(Name)
	if err != nil {
		return "", fmt.Errorf("the charts' program %s is neither beside this program nor in PATH; %w", Name, errBuild)
	}
	return path, nil
}

// runs tells why a file cannot be a program, nil if it can.
func runs(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return errors.New("it is not there")
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return errors.New("it is no file that can be run")
	}
	return nil
}
