package local

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/policy/wasmconfig"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
)

// variantFiles are the files of one variant in the private folder: what the
// operator, the kubelet and the API server are to the components of a cluster.
type variantFiles struct {
	dir string
	// limiterMode is the failure mode of calls of the limiter, "" for the policy's
	// own.
	limiterMode string
}

// filesOf are a variant's files in the private folder state. Its name is part
// of the path and must be one.
func filesOf(state, variant, limiterMode string) (variantFiles, error) {
	if variant == "" || variant != filepath.Base(variant) || strings.HasPrefix(variant, ".") || strings.ContainsAny(variant, "@/\\") {
		return variantFiles{}, fmt.Errorf("variant %q: the name must be usable as a file's", variant)
	}
	return variantFiles{filepath.Join(state, variantsFolder, variant), limiterMode}, nil
}

// variantsFolder is the folder of the variants in the private folder.
const variantsFolder = "variants"

func (f variantFiles) limits() mounted {
	return mounted{filepath.Join(f.dir, "limits"), "limitador-config.yaml"}
}
func (f variantFiles) wasmConfig() string  { return filepath.Join(f.dir, "gateway", "wasm.json") }
func (f variantFiles) routes() string      { return filepath.Join(f.dir, "gateway", "routes.json") }
func (f variantFiles) authConfigs() string { return filepath.Join(f.dir, "authconfigs") }
func (f variantFiles) secrets() string     { return filepath.Join(f.dir, "secrets") }

// write puts a policy's files in force, the given identities' Secrets
// included. Issued identities stay.
func (f variantFiles) write(set *policy.Set) error {
	for _, dir := range []string{filepath.Dir(f.wasmConfig()), f.authConfigs(), f.secrets()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	// Secrets and AuthConfigs come first, so that no limit is asked about a
	// caller that nobody knows yet.
	secrets, err := set.Secrets()
	if err != nil {
		return err
	}
	if err := f.remember(secrets); err != nil {
		return err
	}
	if err := writeAtomically(filepath.Join(f.secrets(), "policy.yaml"), secrets); err != nil {
		return err
	}
	if err := f.writeAuthConfigs(set); err != nil {
		return err
	}
	limits, err := set.LimitsFile()
	if err != nil {
		return err
	}
	if err := f.limits().write(limits); err != nil {
		return err
	}
	return f.writeGateway(set)
}

func (f variantFiles) writeAuthConfigs(set *policy.Set) error {
	var keep []string
	for _, config := range set.AuthConfigs() {
		text, err := yaml.Marshal(config)
		if err != nil {
			return fmt.Errorf("AuthConfig %s: %w", config.Metadata.Name, err)
		}
		name := fileName(config.Metadata.Namespace + "/" + config.Metadata.Name)
		if err := writeAtomically(filepath.Join(f.authConfigs(), name), text); err != nil {
			return err
		}
		keep = append(keep, name)
	}
	entries, err := os.ReadDir(f.authConfigs())
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !slices.Contains(keep, entry.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(f.authConfigs(), entry.Name())))
		}
	}
	return err
}

func (f variantFiles) writeGateway(set *policy.Set) error {
	config, routing, err := f.gatewayFiles(set)
	if err != nil {
		return err
	}
	return errors.Join(writeAtomically(f.routes(), routing), writeAtomically(f.wasmConfig(), config))
}

// gatewayFiles are the texts of the filter's configuration and of the routes.
func (f variantFiles) gatewayFiles(set *policy.Set) (config, routing []byte, err error) {
	if config, err = json.MarshalIndent(f.gatewayConfig(set), "", "  "); err != nil {
		return nil, nil, err
	}
	routing, err = json.MarshalIndent(routes(set), "", "  ")
	return config, routing, err
}

// gatewayChanges tells whether a policy means another filter configuration
// than the one in force. Other routes alone are an error: the gateway takes them
// with a configuration, and counts only those.
func (f variantFiles) gatewayChanges(set *policy.Set) (bool, error) {
	config, routing, err := f.gatewayFiles(set)
	if err != nil {
		return false, err
	}
	configNow, err := os.ReadFile(f.wasmConfig())
	if err != nil {
		return false, err
	}
	routingNow, err := os.ReadFile(f.routes())
	if err != nil {
		return false, err
	}
	changed := !bytes.Equal(config, configNow)
	if !changed && !bytes.Equal(routing, routingNow) {
		return false, errors.New("the policy's routes differ from those in force and the filter's configuration does not, so that nobody sees when the gateway has taken them: bring up a variant for it")
	}
	return changed, nil
}

// namespaces are the limiter's namespaces in the limits file as it stands.
func (f variantFiles) namespaces() ([]string, error) {
	text, err := os.ReadFile(f.limits().path())
	if err != nil {
		return nil, err
	}
	var limits []policy.LimitadorLimit
	if err := yaml.Unmarshal(text, &limits); err != nil {
		return nil, fmt.Errorf("%s: %w", f.limits().path(), err)
	}
	names := make([]string, len(limits))
	for i, l := range limits {
		names[i] = l.Namespace
	}
	return names, nil
}

// writeSecret puts an issued identity's Secret in the place of the one of the
// same name: one file each, as a cluster keeps one object each.
func (f variantFiles) writeSecret(secret []byte) error {
	name, err := secretFile(secret)
	if err != nil {
		return err
	}
	if err := f.remember(secret); err != nil {
		return err
	}
	return writeAtomically(filepath.Join(f.secrets(), name), secret)
}

// removeSecret deletes the Secret of a manifest's namespace and name.
func (f variantFiles) removeSecret(secret []byte) error {
	name, err := secretFile(secret)
	if err != nil {
		return err
	}
	return os.Remove(filepath.Join(f.secrets(), name))
}

// secretFile is the name of the file of an issued Secret.
func secretFile(secret []byte) (string, error) {
	var manifest struct {
		Metadata struct {
			Namespace string `yaml:"namespace"`
			Name      string `yaml:"name"`
		} `yaml:"metadata"`
	}
	if err := yaml.Unmarshal(secret, &manifest); err != nil || manifest.Metadata.Name == "" {
		// The parser's message can quote the text, and so a key.
		return "", errors.New("the manifest is no Secret with a name")
	}
	return fileName(manifest.Metadata.Namespace + "/" + manifest.Metadata.Name), nil
}

// fileName is a file name for hostile text: the same for the same text.
func fileName(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8]) + ".yaml"
}

// gatewayConfig is the filter configuration of the gateway that the policy's
// requests go to: a variant has one gateway here. Its services have
// wasmconfig.PatientTimeout. Without any policy on it the filter lets everything pass.
func (f variantFiles) gatewayConfig(set *policy.Set) wasmconfig.Config {
	config, ok := set.WasmConfigs()[set.Request().Gateway]
	if !ok {
		return wasmconfig.Config{Services: map[string]wasmconfig.Service{}, ActionSets: []wasmconfig.ActionSet{}}
	}
	if f.limiterMode != "" {
		config = wasmconfig.WithLimiterFailureMode(config, f.limiterMode)
	}
	return wasmconfig.Patient(config)
}

// servicesOf are what a configuration tells of its services, nil for one without
// any.
func servicesOf(config wasmconfig.Config) *cluster.Services {
	if len(config.Services) == 0 {
		return nil
	}
	var services cluster.Services
	for _, service := range config.Services {
		// PatientTimeout is a duration.
		timeout, _ := time.ParseDuration(service.Timeout)
		if service.Type == wasmconfig.TypeAuth {
			services.AuthorizerTimeout, services.AuthorizerFailureMode = timeout, service.FailureMode
		} else {
			services.LimiterTimeout, services.LimiterFailureMode = timeout, service.FailureMode
		}
	}
	return &services
}

// routes are what the gateway sends to the backend at all. Matches by regular
// expression, header or query are wider here than in the policy: the filter's
// predicates are not, so that no limit depends on it.
func routes(set *policy.Set) []gateway.Route {
	list := []gateway.Route{}
	for _, route := range set.Routes() {
		if route.Gateway != set.Request().Gateway {
			continue
		}
		for _, match := range route.Matches {
			r := gateway.Route{Hostnames: route.Hostnames}
			switch match.PathType {
			case "Exact":
				r.Exact = match.PathValue
			case "PathPrefix":
				r.PathPrefix = match.PathValue
			}
			if match.Method != "" {
				r.Methods = []string{match.Method}
			}
			list = append(list, r)
		}
	}
	return list
}
