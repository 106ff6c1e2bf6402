package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
)

func lintCommand() *cobra.Command {
	var format string
	var strict, rules bool
	cmd := &cobra.Command{
		Use:   "lint DIR",
		Short: "Look for mistakes in policies before anything is brought up",
		Long: `Read a folder of Kuadrant and Gateway API manifests and report the mistakes that
let callers pass unlimited, keep policies from taking effect, or surprise their
authors: each with its place, what follows from it and how to put it right. "seed"
stands for the built-in manifests. No key is printed.

Exit codes: 0 no errors, 1 errors (with --strict warnings too), 2 nothing, or not
everything, could be read.`,
		Example: "  floodgate lint ./policies\n  floodgate lint ./policies -o json --strict\n  floodgate lint --rules",
		Args: func(cmd *cobra.Command, args []string) error {
			if rules {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return &exit{exitUsage, fmt.Errorf("-o %q: want text or json", format)}
			}
			if rules {
				return writeRules(cmd, format)
			}
			found, err := lintPolicies(args[0])
			if err != nil {
				return &exit{exitUsage, err}
			}
			if err := writeLint(cmd, found, format); err != nil {
				return err
			}
			switch {
			case found.Unread:
				return &exit{exitUsage, errors.New("not everything could be read: there may be more to find")}
			case found.Errors > 0, strict && found.Warnings > 0:
				return &exit{code: exitFail}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "text or json")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit 1 on warnings too")
	cmd.Flags().BoolVar(&rules, "rules", false, "print the mistakes that are looked for")
	return cmd
}

// lintPolicies looks for mistakes in a folder, or in the built-in manifests.
func lintPolicies(dir string) (*policy.Lint, error) {
	if dir == seedPolicies {
		return policy.LintFS(seed.FS, seedPolicies)
	}
	return policy.LintDir(dir)
}

func writeLint(cmd *cobra.Command, found *policy.Lint, format string) error {
	if format == "json" {
		return writeJSON(cmd, found)
	}
	return found.WriteText(cmd.OutOrStdout())
}

func writeRules(cmd *cobra.Command, format string) error {
	if format == "json" {
		return writeJSON(cmd, policy.LintRules())
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "rule\tseverity\tthen\tknown")
	for _, rule := range policy.LintRules() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", rule.Name, rule.Severity, rule.Consequence, rule.Source)
	}
	return table.Flush()
}

func writeJSON(cmd *cobra.Command, value any) error {
	encoder := json.NewEncoder(cmd.OutOrStdout())
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
