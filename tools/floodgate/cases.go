package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

func casesCommand() *cobra.Command {
	var lane string
	cmd := &cobra.Command{
		Use:   "cases",
		Short: "Print the catalogue of cases, their lane and whether a spec proves them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cases, err := catalogue.All()
			if err != nil {
				return err
			}
			specs, err := previewSpecs(cmd.Context(), "")
			if err != nil {
				return err
			}
			proved := map[string]string{}
			for _, spec := range specs {
				if spec.Lane == catalogue.Seed {
					proved[spec.ID] += "+seed"
					continue
				}
				proved[spec.ID] = "spec" + proved[spec.ID]
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "case\tlane\tstate\tgiven\texpected")
			specified := 0
			for _, c := range cases {
				if lane != "" && string(c.Lane) != lane {
					continue
				}
				state := proved[c.ID]
				if state == "" {
					state = "no spec yet"
				} else {
					specified++
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", c.ID, c.Lane, state, c.Given, c.Expected)
			}
			if err := table.Flush(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d cases have specs\n", specified)
			return err
		},
	}
	cmd.Flags().StringVar(&lane, "lane", "", "only cases of this lane: smoke, full, release, unit")
	return cmd
}
