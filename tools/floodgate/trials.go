package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/random"
)

// defaultTrials are as many as fit into two minutes and a half, and mostTrials into
// a night.
const (
	defaultTrials = 12
	mostTrials    = 1000
)

// readTrial checks the file of a trial against the policies that it is for, before
// anything starts, and returns its absolute path: specs run elsewhere.
func readTrial(path string, lane catalogue.Lane, set *policy.Set) (string, error) {
	if path == "" {
		return "", nil
	}
	if lane != catalogue.Random {
		return "", fmt.Errorf("lane %s has no trials: add --lane %s", lane, catalogue.Random)
	}
	trial, err := random.Read(path)
	if err != nil {
		return "", err
	}
	if set == nil {
		// What is wrong with the policies is told already.
		return path, nil
	}
	if _, err := set.WithDrawn(trial.Limits); err != nil {
		return "", fmt.Errorf("%s: limits: %w", path, err)
	}
	callers := set.Identities()
	for i, name := range trial.Callers {
		if !slices.ContainsFunc(callers, func(who tier.Identity) bool { return who.Tier == name }) {
			return "", fmt.Errorf("%s: callers[%d]: the policies have no caller in tier %q", path, i, name)
		}
	}
	return filepath.Abs(path)
}
