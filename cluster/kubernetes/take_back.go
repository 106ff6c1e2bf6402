package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// TakeBack undoes what runs that were killed have changed in clusters: those
// whose private folders are left below parent. The runs must have ended.
func TakeBack(ctx context.Context, parent string) error {
	folders, err := filepath.Glob(filepath.Join(parent, "floodgate-*", stateFile))
	if err != nil {
		return fmt.Errorf("look for what runs have left: %w", err)
	}
	var errs []error
	for _, file := range folders {
		dir := filepath.Dir(file)
		c, err := kube.Connect(filepath.Join(dir, kubeconfigFile), "")
		if err == nil {
			err = (&changes{c, filepath.Join(dir, changesFolder)}).undo(ctx)
		}
		if err == nil {
			err = os.RemoveAll(dir)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("the run whose private folder is %s: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}

// Changed tells whether a run of a provider has noted changes of a cluster below
// a folder, for TakeBack to undo.
func Changed(parent, provider string) bool {
	folders, _ := filepath.Glob(filepath.Join(parent, "floodgate-*"))
	for _, dir := range folders {
		notes, _ := filepath.Glob(filepath.Join(dir, changesFolder, "*.json"))
		if s, err := readState(dir); err == nil && s.Provider == provider && len(notes) > 0 {
			return true
		}
	}
	return false
}
