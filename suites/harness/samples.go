package harness

import (
	"errors"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// SampleOf is what the rules were judged on in a run's folder.
func SampleOf(runDir string) (*oracle.Sample, error) {
	cases, err := ReadCases(runDir)
	if err != nil {
		return nil, err
	}
	sample := oracle.NewSample()
	for _, name := range sortedNames(cases) {
		for _, file := range cases[name].Evidence {
			if filepath.Dir(file) != questionsDir {
				continue
			}
			q, err := readQuestion(filepath.Join(runDir, file))
			if err != nil {
				return nil, err
			}
			_, entries, err := evidence.Read(filepath.Join(runDir, filepath.FromSlash(q.Ledger)))
			if err != nil && !errors.Is(err, evidence.ErrTruncated) {
				return nil, err
			}
			sample.Add(q, entries)
		}
	}
	return sample, nil
}
