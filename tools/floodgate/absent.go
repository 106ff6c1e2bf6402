package main

import (
	"fmt"
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
)

// absentCases are the cases that a run is asked for and that have no spec: they
// are in its record as not judged, each with its reason. named are the IDs that
// --case gave; a run that a label filter narrows was asked for specs alone.
func absentCases(lane catalogue.Lane, named []string, narrowed bool) ([]reports.Case, error) {
	all, err := catalogue.All()
	if err != nil {
		return nil, err
	}
	reasons, err := catalogue.Absences()
	if err != nil {
		return nil, err
	}
	var absent []reports.Case
	for _, c := range all {
		reason, lacks := reasons[c.ID]
		asked := slices.Contains(named, c.ID) || len(named) == 0 && !narrowed && lane.Includes(c)
		if lacks && asked {
			absent = append(absent, reports.Case{
				ID: c.ID, Title: c.Given, Lane: string(c.Lane), Verdict: reports.NotJudged, Reason: reason.String(),
			})
		}
	}
	return absent, nil
}

// nothingToRun says why no spec runs: none matches, or the cases that were named
// have none.
func nothingToRun(filter string, absent []reports.Case) error {
	if len(absent) == 0 {
		return fmt.Errorf("no spec matches %q: see floodgate cases", filter)
	}
	return fmt.Errorf("--case %s: %s", absent[0].ID, absent[0].Reason)
}
