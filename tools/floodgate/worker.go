package main

import (
	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/suites/attack/crew"
)

// workerCommand fires shares of a run's attacks.
func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:                crew.WorkerCommand + " [arguments...]",
		Short:              "Fire shares of attacks for another process",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := crew.Main(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
}
