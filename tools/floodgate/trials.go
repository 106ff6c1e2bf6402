package main

import (
	"fmt"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/random"
)

// defaultTrials are as many as fit into two minutes and a half, and mostTrials into
// a night.
const (
	defaultTrials = 12
	mostTrials    = 1000
)

// readTrial checks the file of a trial before anything starts, and returns its
// absolute path: specs run elsewhere.
func readTrial(path string, lane catalogue.Lane) (string, error) {
	if path == "" {
		return "", nil
	}
	if lane != catalogue.Random {
		return "", fmt.Errorf("lane %s has no trials: add --lane %s", lane, catalogue.Random)
	}
	if _, err := random.Read(path); err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
