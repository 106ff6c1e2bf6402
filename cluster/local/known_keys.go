package local

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keyEntry is the entry of a Secret that the authorizer takes as the key.
const keyEntry = "api_key"

// knownKeys is the file of all keys that a variant ever had, one a line in
// base64: those of a former policy and of Secrets that another process issued
// and deleted can stand in a log too. It lies beside the Secrets.
func (f variantFiles) knownKeys() string { return filepath.Join(f.dir, "keys") }

// remember notes the keys of Secrets before anybody can use them.
func (f variantFiles) remember(secrets []byte) error {
	var lines strings.Builder
	for documents := yaml.NewDecoder(bytes.NewReader(secrets)); ; {
		var secret struct {
			Data       map[string]string `yaml:"data"`
			StringData map[string]string `yaml:"stringData"`
		}
		err := documents.Decode(&secret)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			// The parser's message can quote the text, and so a key.
			return errors.New("the manifest is no Secret")
		}
		if key := secret.StringData[keyEntry]; key != "" {
			fmt.Fprintln(&lines, base64.StdEncoding.EncodeToString([]byte(key)))
		}
		if encoded := secret.Data[keyEntry]; encoded != "" {
			fmt.Fprintln(&lines, encoded)
		}
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.knownKeys(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(lines.String())
	return errors.Join(err, file.Close())
}

// redactorOf knows the keys of all variants of a private folder.
func redactorOf(state string) (*redactor, error) {
	variants, err := os.ReadDir(filepath.Join(state, variantsFolder))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var keys []string
	for _, variant := range variants {
		text, err := os.ReadFile(variantFiles{dir: filepath.Join(state, variantsFolder, variant.Name())}.knownKeys())
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("read which keys are to be redacted: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			// What is no base64 was no key for the authorizer either.
			if key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line)); err == nil {
				keys = append(keys, string(key))
			}
		}
	}
	return newRedactor(keys), nil
}
