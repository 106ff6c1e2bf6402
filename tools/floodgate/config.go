package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// configFile is read from the folder that floodgate is started in.
const configFile = "floodgate.yaml"

// configure gives every flag that the command line leaves open its value from
// the environment (FLOODGATE_DRY_RUN for --dry-run), or else from
// floodgate.yaml, whose keys are the flags' names. All that is wrong is said
// at once, with line and key.
func configure(cmd *cobra.Command) error {
	file, err := readConfig(configFile)
	if err != nil {
		return err
	}
	var wrong []error
	known := map[string]bool{}
	for _, other := range cmd.Root().Commands() {
		other.LocalFlags().VisitAll(func(flag *pflag.Flag) { known[flag.Name] = true })
	}
	for key, value := range file {
		if !known[key] {
			wrong = append(wrong, fmt.Errorf("%s:%d: %q is no setting: keys are names of flags, see floodgate run --help", configFile, value.line, key))
		}
	}
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed {
			return
		}
		name := "FLOODGATE_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if text, ok := os.LookupEnv(name); ok {
			if err := flag.Value.Set(text); err != nil {
				wrong = append(wrong, fmt.Errorf("environment variable %s=%q: %w", name, text, err))
			}
			return
		}
		value, ok := file[flag.Name]
		if !ok {
			return
		}
		for _, text := range value.texts {
			if err := flag.Value.Set(text); err != nil {
				wrong = append(wrong, fmt.Errorf("%s:%d: %s: %q: %w", configFile, value.line, flag.Name, text, err))
			}
		}
	})
	return errors.Join(wrong...)
}

// setting is the value of one key: a scalar, or a list of them.
type setting struct {
	texts []string
	line  int
}

func readConfig(path string) (map[string]setting, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	settings := map[string]setting{}
	if len(document.Content) == 0 {
		return settings, nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want settings as \"name: value\" lines", path, root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		parsed := setting{line: key.Line}
		switch value.Kind {
		case yaml.ScalarNode:
			parsed.texts = []string{value.Value}
		case yaml.SequenceNode:
			for _, item := range value.Content {
				parsed.texts = append(parsed.texts, item.Value)
			}
		default:
			return nil, fmt.Errorf("%s:%d: %s: want a value or a list of values", path, key.Line, key.Value)
		}
		if _, twice := settings[key.Value]; twice {
			return nil, fmt.Errorf("%s:%d: %s stands twice", path, key.Line, key.Value)
		}
		settings[key.Value] = parsed
	}
	return settings, nil
}
