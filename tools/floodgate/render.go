package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/junit"
	"github.com/floodgate-dev/floodgate/reports/render"
	"github.com/floodgate-dev/floodgate/reports/terminal"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

func renderCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "render out/RUN",
		Short:   "Write a run's reports again from its record and ledgers",
		Example: "  floodgate render out/20261122T210000Z",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := reports.Load(filepath.Join(args[0], recordFile)); err != nil {
				return &exit{exitUsage, err}
			}
			if err := render.Folder(args[0], junit.Options{}); err != nil {
				return &exit{exitUsage, err}
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(args[0], "report.html"))
			return err
		},
	}
}

func judgeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "judge out/RUN",
		Short: "Judge a run's evidence again with the rules of this build",
		Long: `Ask the oracle of this build every question of a run's folder again, on the
ledgers and books as they are, then write record and reports anew. Nothing is
fired and nothing is started. The exit code is the verdict's.`,
		Example: "  floodgate judge out/20261122T210000Z",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			record, err := reports.Load(filepath.Join(args[0], recordFile))
			if err != nil {
				return &exit{exitUsage, err}
			}
			if err := harness.Rejudge(args[0]); err != nil {
				return &exit{exitUsage, err}
			}
			if err := harness.Assemble(args[0], record); err != nil {
				return &exit{exitUsage, err}
			}
			if err := reports.Write(filepath.Join(args[0], recordFile), record); err != nil {
				return &exit{exitUsage, err}
			}
			if err := present(cmd.OutOrStdout(), args[0], args[0], record); err != nil {
				return &exit{exitUsage, err}
			}
			if code := exitOf(record); code != exitPass {
				return &exit{code: code}
			}
			return nil
		},
	}
}

// present renders a run's folder and says how the run went.
func present(out io.Writer, dir, shown string, record *reports.Record) error {
	err := render.Folder(dir, junit.Options{})
	return errors.Join(err, terminal.Printer{Out: out, Dir: shown, Colour: onTerminal(out)}.End(record))
}
