package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

//go:generate sh -c "go run . defects > ../../suites/DEFECTS.md"

func defectsCommand() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "defects [out/RUN]",
		Short: "List the known defects of the real components and the cases that find them",
		Long: `List the known defects of the real components: what a caller notices, where it is
known from, which case finds it, and a command that shows it on stand-ins. With
--as RELEASE and the folder of a run --as RELEASE --lane full, say instead whether
the run failed in exactly the cases that this release fails in.`,
		Example: "  floodgate defects\n  floodgate defects --as kuadrant-1.5.2 out/20261122T210000Z",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case as == "" && len(args) == 0:
				return catalogue.WriteDefects(cmd.OutOrStdout())
			case as == "" || len(args) == 0:
				return &exit{exitUsage, fmt.Errorf("a run is compared with a release: floodgate defects --as RELEASE out/RUN")}
			}
			release, err := catalogue.FindRecorded(as)
			if err != nil {
				return &exit{exitUsage, fmt.Errorf("--as: %w", err)}
			}
			record, err := reports.Load(filepath.Join(args[0], recordFile))
			if err != nil {
				return &exit{exitUsage, err}
			}
			if differs := compareWith(release, record); len(differs) > 0 {
				return &exit{exitFail, fmt.Errorf("the run is not what was recorded of %s:\n%s", release.Name, strings.Join(differs, "\n"))}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "as recorded of %s: the run fails in these %d cases and in no other: %s\n",
				release.Name, len(release.Fails), strings.Join(slices.Sorted(maps.Keys(release.Fails)), " "))
			return err
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "the release that the run was made as, such as kuadrant-1.5.2")
	return cmd
}

// compareWith says in what a run's record differs from a release. A case that is
// inconclusive fails by no rule, which is not what was recorded of one that fails.
func compareWith(release catalogue.Recorded, record *reports.Record) []string {
	seen := map[string]catalogue.Seen{}
	for _, kase := range record.Cases {
		if kase.Verdict == reports.NotJudged || kase.Lane == string(catalogue.Seed) {
			continue
		}
		found := seen[kase.ID]
		for _, finding := range kase.Findings {
			switch {
			case finding.Verdict == reports.Fail:
				found.Failed = append(found.Failed, finding.Rule)
			case finding.Verdict == reports.Pass && len(finding.Weaknesses) > 0:
				found.Weak = true
			}
		}
		seen[kase.ID] = found
	}
	return release.Differs(seen)
}
