package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/conformance"
)

func casesCommand() *cobra.Command {
	var lane string
	var sampled string
	var wide, power bool
	cmd := &cobra.Command{
		Use:   "cases",
		Short: "Print the catalogue: each case's lane, and its spec or what it needs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if power {
				return writePower(cmd.OutOrStdout(), sampled)
			}
			specs, err := previewSpecs(cmd.Context(), "")
			if err != nil {
				return err
			}
			m, err := newMatrix(specs, catalogue.Lane(lane))
			if err != nil {
				return err
			}
			return m.write(cmd.OutOrStdout(), wide)
		},
	}
	cmd.Flags().StringVar(&lane, "lane", "", "only cases of this lane: smoke, full, release, unit")
	cmd.Flags().BoolVar(&wide, "wide", false, "with what each case fires and expects")
	cmd.Flags().BoolVar(&power, "power", false, "instead, the smallest defect that each rule finds in 95 % of runs")
	cmd.Flags().StringVar(&sampled, "run", "", "with --power: a run's folder, whose sample sizes count instead of lane smoke's")
	return cmd
}

// matrix is the catalogue beside the specs that there are.
type matrix struct {
	rows      []matrixRow
	specified int
	// lacking counts cases without a spec by what they need.
	lacking map[catalogue.Need]int
}

type matrixRow struct {
	catalogue.Case
	state           string
	rules, variants []string
}

func newMatrix(specs []conformance.Spec, lane catalogue.Lane) (*matrix, error) {
	cases, err := catalogue.All()
	if err != nil {
		return nil, err
	}
	absent, err := catalogue.Absences()
	if err != nil {
		return nil, err
	}
	m := &matrix{lacking: map[catalogue.Need]int{}}
	for _, c := range cases {
		if lane != "" && c.Lane != lane {
			continue
		}
		row := matrixRow{Case: c}
		for _, spec := range specs {
			if spec.ID == c.ID {
				row.add(spec)
			}
		}
		if row.state != "" {
			m.specified++
		} else {
			m.lacking[absent[c.ID].Need]++
			row.state = "needs " + string(absent[c.ID].Need)
		}
		m.rows = append(m.rows, row)
	}
	return m, nil
}

// add notes one of the case's specs; real windows are another spec.
func (r *matrixRow) add(spec conformance.Spec) {
	switch {
	case spec.Lane == catalogue.Seed && r.state == "":
		r.state = "seed"
	case spec.Lane == catalogue.Seed:
		r.state += "+seed"
	case r.state == "seed":
		r.state = "spec+seed"
	default:
		r.state = "spec"
	}
	r.rules = append(r.rules, spec.Rules...)
	r.variants = append(r.variants, spec.Variants...)
	slices.Sort(r.rules)
	slices.Sort(r.variants)
	r.rules, r.variants = slices.Compact(r.rules), slices.Compact(r.variants)
}

func (m *matrix) write(w io.Writer, wide bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	more := ""
	if wide {
		more = "\tgiven\texpected"
	}
	fmt.Fprintln(table, "case\tlane\tchapter\tstate\trules\tvariants"+more)
	for _, r := range m.rows {
		if wide {
			more = "\t" + r.Given + "\t" + r.Expected
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s%s\n", r.ID, r.Lane, r.Chapter, r.state,
			strings.Join(r.rules, ","), strings.Join(r.variants, ","), more)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var lacks []string
	for need, n := range m.lacking {
		lacks = append(lacks, fmt.Sprintf("%d need %s", n, need))
	}
	slices.Sort(lacks)
	line := fmt.Sprintf("%d cases have specs", m.specified)
	if len(lacks) > 0 {
		line += "; of the others " + strings.Join(lacks, ", ")
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
