package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/cluster/setup"
)

func rootCommand(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "floodgate",
		Short: "Load and conformance suite for rate limits in front of an LLM service",
		Long: `Floodgate brings a rate-limited LLM service up (Kuadrant in front of llm-d), fires
at it as every tier of the policy, and judges whether the limits hold: at the
boundary, over the window, in the books. It says pass, fail or inconclusive.

Exit codes: 0 pass, 1 fail, 2 wrong usage or configuration, 3 inconclusive,
4 the stack did not come up.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		runCommand(), upCommand(), statusCommand(), downCommand(),
		renderCommand(), judgeCommand(), selfTestCommand(),
		casesCommand(), weaknessesCommand(), defectsCommand(), policyCommand(), lintCommand(), doctorCommand(),
		bundleCommand(setup.Pieces),
		standinCommand(), specsCommand(), guardCommand(), clusterGuardCommand(), workerCommand(), versionCommand(),
	)
	return root
}
