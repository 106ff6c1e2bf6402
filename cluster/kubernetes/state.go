package kubernetes

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The files of the private folder.
const (
	kubeconfigFile = "kubeconfig"
	stateFile      = "state.json"
	changesFolder  = "changes"
)

// state is what another process must know of a system that is up. It holds no
// keys, but lies beside them.
type state struct {
	Provider string `json:"provider"`
	Run      string `json:"run"`
	Site     Site   `json:"site"`
	Rights   Rights `json:"rights"`
	// Settle says that the authorizer cannot be asked whether it knows a key.
	Settle bool `json:"settle,omitempty"`
	// Image is that of our own pods, "" if none is known.
	Image string `json:"image,omitempty"`
	// RunDir is where the first process writes to.
	RunDir string `json:"runDir"`
}

func (s state) write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, stateFile), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the system's private state: %w", err)
	}
	return nil
}

func readState(dir string) (state, error) {
	var s state
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

// keepKubeconfig copies the one context that is used, with what its files say,
// into the private folder.
func keepKubeconfig(path, contextName, dir string) error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if path != "" {
		rules.ExplicitPath = path
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).RawConfig()
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	if contextName != "" {
		config.CurrentContext = contextName
	}
	if err := clientcmdapi.MinifyConfig(&config); err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	if err := clientcmdapi.FlattenConfig(&config); err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	// It is written with mode 0600.
	if err := clientcmd.WriteToFile(config, filepath.Join(dir, kubeconfigFile)); err != nil {
		return fmt.Errorf("keep the kubeconfig: %w", err)
	}
	return nil
}

var noLabel = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// runName is the run folder's name as a label's value.
func runName(runDir string) string {
	name := noLabel.ReplaceAllString(filepath.Base(runDir), "-")
	name = name[:min(len(name), 63)]
	return strings.Trim(name, "-_.")
}
