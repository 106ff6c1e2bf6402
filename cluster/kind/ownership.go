package kind

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ownershipFile says in a run's folder that a cluster was made for it, from the
// moment before it was: whoever finds it may delete that cluster.
const ownershipFile = "kind-cluster.json"

type ownership struct {
	Cluster string `json:"cluster"`
	// Whole is true once the cluster came up. One that is not was left behind by a
	// process that was killed while it made it: nothing can be done with it.
	Whole bool `json:"whole"`
}

func (o ownership) claim(runDir string) error {
	text, err := json.Marshal(o)
	if err == nil {
		// A kill in the middle must not leave half a file.
		path := filepath.Join(runDir, ownershipFile)
		err = errors.Join(os.WriteFile(path+".new", append(text, '\n'), 0o644), os.Rename(path+".new", path))
	}
	if err != nil {
		return fmt.Errorf("note that kind cluster %s is ours: %w", o.Cluster, err)
	}
	return nil
}

// claimed tells whether the cluster was made for this run's folder, and whether
// it ever came up.
func claimed(runDir, name string) (ours, whole bool, err error) {
	text, err := os.ReadFile(filepath.Join(runDir, ownershipFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	var o ownership
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return false, false, fmt.Errorf("%s: %w", filepath.Join(runDir, ownershipFile), err)
	}
	return o.Cluster == name, o.Cluster == name && o.Whole, nil
}

func disclaim(runDir string) error {
	err := os.Remove(filepath.Join(runDir, ownershipFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
