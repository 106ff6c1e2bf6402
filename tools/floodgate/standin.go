package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/cluster/kind"
	"github.com/floodgate-dev/floodgate/cluster/local"
	"github.com/floodgate-dev/floodgate/fixtures/standin/authorino"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
	"github.com/floodgate-dev/floodgate/fixtures/standin/journal"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
	"github.com/floodgate-dev/floodgate/fixtures/standin/llmd"
	"github.com/floodgate-dev/floodgate/fixtures/standin/skew"
)

type standinMain func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int

func standins() map[string]standinMain {
	return map[string]standinMain{
		"authorino": authorino.Main,
		"gateway":   gateway.Main,
		"journal":   journal.Main,
		"limitador": limitador.Main,
		"llmd":      llmd.Main,
		"skew":      skew.Main,
	}
}

func standinCommand() *cobra.Command {
	names := strings.Join(slices.Sorted(maps.Keys(standins())), "|")
	return &cobra.Command{
		Use:   "standin " + names + " [arguments...]",
		Short: "Run one stand-in on its own, with the real component's command line where it has one",
		Long: `Run one stand-in in the foreground: a server of ours that speaks the protocol of
the real component. --list-faults names the defects that it can show, --fault
NAME shows one.`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "-h" || args[0] == "--help" {
				return cmd.Help()
			}
			main, ok := standins()[args[0]]
			if !ok {
				return &exit{exitUsage, fmt.Errorf("stand-in %q is unknown: want one of %s", args[0], names)}
			}
			if code := main(cmd.Context(), args[1:], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
}

// clusterGuardCommand deletes a cluster when the program that made it is gone.
func clusterGuardCommand() *cobra.Command {
	return &cobra.Command{
		Use:                kind.GuardCommand + " cluster kubeconfig",
		Short:              "Delete a kind cluster with the end of the program that made it",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := kind.Guard(args, cmd.InOrStdin(), cmd.ErrOrStderr()); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
}

// guardCommand ends children when the program that started them is gone, as
// far as the kernel cannot be asked to.
func guardCommand() *cobra.Command {
	return &cobra.Command{
		Use:                local.GuardCommand + " -- program [arguments...]",
		Short:              "Run a program that ends with its parent",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := local.Guard(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
}
