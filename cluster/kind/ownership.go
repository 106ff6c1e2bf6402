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
}

func claim(runDir, name string) error {
	text, err := json.Marshal(ownership{name})
	if err == nil {
		err = os.WriteFile(filepath.Join(runDir, ownershipFile), append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("note that kind cluster %s is ours: %w", name, err)
	}
	return nil
}

// claimed tells whether the cluster was made for this run's folder.
func claimed(runDir, name string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(runDir, ownershipFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var o ownership
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", filepath.Join(runDir, ownershipFile), err)
	}
	return o.Cluster == name, nil
}

func disclaim(runDir string) error {
	err := os.Remove(filepath.Join(runDir, ownershipFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
