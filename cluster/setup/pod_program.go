package setup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// podProgram is the name of the program of our pods.
const podProgram = "floodgate-pod"

// findPodProgram returns the program of our pods: the one that is named, the one
// beside the running program, or the one on PATH.
func findPodProgram(given string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), podProgram)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	path, err := exec.LookPath(podProgram)
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("no %s beside this program nor on PATH: make pod builds it, --pod-program names it", podProgram)
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
