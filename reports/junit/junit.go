// Package junit writes a run as JUnit XML, a testcase per conformance case,
// for CI systems that show tests. A doubt is an error there, never a pass.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// Options change how verdicts are told.
type Options struct {
	// DoubtsAsSkipped writes inconclusive cases as skipped, for a CI that must
	// not go red for them. A run that is inconclusive as a whole stays an error.
	DoubtsAsSkipped bool
}

// Render writes the record as one suite.
func Render(w io.Writer, r *reports.Record, options Options) error {
	suite := newSuite(r, options)
	document := testsuites{
		Name: "floodgate", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Skipped: suite.Skipped,
		Time: suite.Time, Suite: suite,
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	return nil
}

func newSuite(r *reports.Record, options Options) testsuite {
	if r.PassedInDoubt() {
		// The run's budget covers them: they are told, and redden nothing.
		options.DoubtsAsSkipped = true
	}
	suite := testsuite{
		Name: "floodgate", Time: seconds(r.Duration()), Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05"),
		Properties: suiteProperties(r),
	}
	for i := range r.Cases {
		suite.add(newCase(&r.Cases[i], r, options))
	}
	// What no case tells, such as an end before its time, would look green.
	for _, problem := range r.Problems() {
		if problem.Case == nil {
			result := testcase{ClassName: "floodgate", Name: "the run", Time: seconds(r.Duration())}
			result.tell(problem.Verdict, problem.Reason(r), problemText(r, problem), Options{})
			suite.add(result)
		}
	}
	return suite
}

func (s *testsuite) add(c testcase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func suiteProperties(r *reports.Record) []property {
	properties := []property{
		{"verdict", r.Verdict.String()},
		{"run", r.Run},
		{"lane", r.Lane},
		{"seed", strconv.FormatInt(r.Seed, 10)},
		{"floodgate", r.Version},
		{"provider", r.Stack.Provider},
		{"policies", r.Policies},
		{"command", reports.CommandText(r.Command)},
	}
	if declared := r.DeclaredText(); declared != "" {
		properties = append(properties, property{"declared weaknesses", declared})
	}
	if doubt := r.DoubtText(); doubt != "" {
		properties = append(properties, property{"doubt", doubt})
	}
	if r.WindowModel != "" {
		properties = append(properties, property{"window model", r.WindowModel})
	}
	for _, part := range r.Stack.Components {
		properties = append(properties, property{"component", part.String()})
	}
	for _, warning := range r.Warnings {
		properties = append(properties, property{"warning", warning})
	}
	for i := range properties {
		properties[i].Value = reports.Visible(properties[i].Value)
	}
	return properties
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
