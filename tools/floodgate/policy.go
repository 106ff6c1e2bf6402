package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const requestUsage = "METHOD [HOST]/PATH that the limits are tried with, such as 'POST /v1/chat/completions'; otherwise the completion that most of them apply to"

func policyCommand() *cobra.Command {
	var format, request string
	cmd := &cobra.Command{
		Use:   "policy DIR",
		Short: "Say what manifests mean: tiers, limits, identities",
		Long: `Read a folder of Kuadrant and Gateway API manifests as a run does and print what
they mean: as a table, as JSON, or as the limits file that the operator would
give to Limitador. "seed" stands for the built-in manifests.`,
		Example: "  floodgate policy ./policies\n  floodgate policy ./policies -o limitador",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := readPolicies(args[0])
			if err == nil {
				set, err = trying(set, request)
			}
			if err != nil {
				return &exit{exitUsage, err}
			}
			for _, warning := range set.Warnings {
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: %v\n", warning)
			}
			out := cmd.OutOrStdout()
			var content []byte
			switch format {
			case "table":
				return set.WriteTable(out)
			case "json":
				content, err = set.JSON()
			case "limitador":
				content, err = set.LimitsFile()
			default:
				return &exit{exitUsage, fmt.Errorf("-o %q: want table, json or limitador", format)}
			}
			if err != nil {
				return err
			}
			_, err = out.Write(content)
			return err
		},
	}
	cmd.Flags().StringVar(&request, "request", "", requestUsage)
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json or limitador")
	return cmd
}
