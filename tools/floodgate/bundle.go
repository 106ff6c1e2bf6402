package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/cluster/bundle"
	"github.com/floodgate-dev/floodgate/cluster/charts"
)

// bundleCommand makes archives for clusters that reach no registry, and looks at
// them. Pieces gives what a named set of versions needs.
func bundleCommand(pieces func(versions string) ([]bundle.Piece, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Archives of charts, manifests and images for clusters without internet",
	}
	cmd.AddCommand(bundleCreateCommand(pieces), bundleVerifyCommand())
	return cmd
}

func bundleCreateCommand(pieces func(versions string) ([]bundle.Piece, error)) *cobra.Command {
	var versions, out, program string
	var o bundle.Options
	cmd := &cobra.Command{
		Use:   "create --out FILE",
		Short: "Fetch everything that stack kuadrant installs into one archive",
		Long: "Create fetches everything that stack kuadrant installs and writes it to one archive\n" +
			"with digests; floodgate up --bundle FILE installs from it and from nothing else.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := configure(cmd); err != nil {
				return &exit{exitUsage, err}
			}
			if out == "" {
				return &exit{exitUsage, errors.New("--out says which file to write")}
			}
			wanted, err := pieces(versions)
			if err != nil {
				return &exit{exitUsage, fmt.Errorf("--versions %s: %w", versions, err)}
			}
			path, err := charts.Find(program)
			if err != nil {
				return &exit{exitUsage, err}
			}
			o.Charts, o.Progress = &charts.Program{Path: path}, cmd.OutOrStdout()
			if err := bundle.Create(cmd.Context(), wanted, out, o); err != nil {
				return &exit{exitStack, err}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s holds %d pieces\n", out, len(wanted))
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&versions, "versions", "current", "named set of versions")
	flags.StringVar(&out, "out", "", "file to write")
	flags.StringVar(&o.Arch, "arch", "", "architecture of the cluster's nodes, such as arm64 (default: this machine's)")
	flags.StringSliceVar(&o.Insecure, "insecure-registry", nil, "host:port that is spoken to by http")
	flags.StringVar(&program, "charts", "", "path of floodgate-charts (default: beside this program, or in PATH)")
	return cmd
}

func bundleVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "Print an archive's pieces and tell which are missing, altered or surplus",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			entries, err := bundle.Verify(cmd.Context(), args[0])
			// What it should hold is shown in any case.
			if printErr := printEntries(cmd.OutOrStdout(), entries); printErr != nil {
				return printErr
			}
			if err != nil {
				return &exit{exitFail, err}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is whole\n", args[0])
			return err
		},
	}
}

func printEntries(out io.Writer, entries []bundle.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", e.Kind, e.Name, e.Version, e.Size, e.Digest, e.Source)
	}
	return w.Flush()
}
