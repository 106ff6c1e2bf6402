package main

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
)

// declareNone drops what the provider declares.
const declareNone = "none"

func weaknessesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "weaknesses",
		Short: "List the known weaknesses that a run can declare",
		Long: `List the ways in which the system under test is known to fall short. A run that
declares one (--declare NAME, or a list "declare" in floodgate.yaml) passes with
it and says so; a run that does not fails. A provider that sets the system up
declares those that its own defaults bring along, marked here; --declare none
drops them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "weakness\tdeclared by providers\taccepts\tknown from")
			for _, w := range weakness.All() {
				by := "-"
				if w.ByDesign {
					by = "yes"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", w.Name, by, w.About, w.Source)
			}
			return table.Flush()
		},
	}
}

// checkDeclared refuses what is no weakness, and a "none" that would drop what
// stands before it.
func checkDeclared(names []string) error {
	for i, name := range names {
		if name == declareNone {
			if i > 0 {
				return fmt.Errorf("--declare none stands after --declare %s: it drops what the provider declares, and comes first", names[i-1])
			}
			continue
		}
		if _, err := weakness.Find(name); err != nil {
			return fmt.Errorf("--declare: %w; see floodgate weaknesses", err)
		}
	}
	return nil
}

// declarations are the weaknesses that a run takes as given: the provider's,
// and the user's.
func (p *plan) declarations(stack cluster.Stack) []reports.Declaration {
	var all []reports.Declaration
	add := func(name, by string) {
		known := func(d reports.Declaration) bool { return d.Name == name }
		if w, err := weakness.Find(name); err == nil && !slices.ContainsFunc(all, known) {
			all = append(all, reports.Declaration{Name: name, About: w.About, By: by})
		}
	}
	if !slices.Contains(p.declare, declareNone) {
		for _, name := range stack.Declared {
			add(name, "provider "+stack.Provider)
		}
	}
	for _, name := range p.declare {
		add(name, "--declare")
	}
	return all
}

func namesOf(declarations []reports.Declaration) []string {
	names := make([]string, len(declarations))
	for i, d := range declarations {
		names[i] = d.Name
	}
	return names
}
