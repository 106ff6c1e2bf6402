package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// Rejudge asks the oracle of this build every question of a run's folder
// again, on the ledgers as they are, and replaces the cases' findings.
func Rejudge(runDir string) error {
	cases, err := ReadCases(runDir)
	if err != nil {
		return err
	}
	for name, c := range cases {
		if err := checkQuestions(runDir, name, c); err != nil {
			return err
		}
		c.Findings = nil
		for _, file := range c.Evidence {
			if filepath.Dir(file) != questionsDir {
				continue
			}
			findings, err := answer(runDir, file)
			if err != nil {
				return err
			}
			c.Findings = append(c.Findings, findings...)
		}
		if c.Void {
			voidFindings(&c)
		}
		Settle(&c)
		cases[name] = c
	}
	// Nothing is replaced before everything was judged.
	for name, c := range cases {
		if err := writeJSON(filepath.Join(runDir, casesDir, name+".json"), c); err != nil {
			return err
		}
	}
	return nil
}

// checkQuestions refuses a case that leaves out a question of its folder.
func checkQuestions(runDir, name string, c reports.Case) error {
	files, err := filepath.Glob(filepath.Join(runDir, questionsDir, name+"-*.json"))
	if err != nil {
		return fmt.Errorf("list questions: %w", err)
	}
	for _, file := range files {
		number := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), name+"-"), ".json")
		if _, err := strconv.Atoi(number); err != nil {
			continue // another case, whose name begins with this one's
		}
		if !slices.Contains(c.Evidence, filepath.Join(questionsDir, filepath.Base(file))) {
			return fmt.Errorf("%s: case %s does not name this question as its evidence", file, name)
		}
	}
	return nil
}

func answer(runDir, file string) ([]reports.Finding, error) {
	q, err := readQuestion(filepath.Join(runDir, file))
	if err != nil {
		return nil, err
	}
	_, entries, err := evidence.Read(filepath.Join(runDir, filepath.FromSlash(q.Ledger)))
	if err != nil && !errors.Is(err, evidence.ErrTruncated) {
		return nil, err
	}
	return oracle.Judge(q, entries), nil
}

func readQuestion(path string) (oracle.Question, error) {
	var q oracle.Question
	content, err := os.ReadFile(path)
	if err != nil {
		return q, fmt.Errorf("read question: %w", err)
	}
	if err := json.Unmarshal(content, &q); err != nil {
		return q, fmt.Errorf("%s: %w", path, err)
	}
	if filepath.Dir(filepath.FromSlash(q.Ledger)) != ledgerDir {
		return q, fmt.Errorf("%s: ledger %q is outside of the run's %s folder", path, q.Ledger, ledgerDir)
	}
	return q, nil
}

// ReadCases reads the cases of a run's folder, by file name.
func ReadCases(runDir string) (map[string]reports.Case, error) {
	files, err := filepath.Glob(filepath.Join(runDir, casesDir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	cases := map[string]reports.Case{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read case: %w", err)
		}
		var c reports.Case
		if err := json.Unmarshal(content, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		cases[strings.TrimSuffix(filepath.Base(file), ".json")] = c
	}
	return cases, nil
}

// sortedNames are the keys of a map of cases, in order.
func sortedNames(cases map[string]reports.Case) []string {
	names := make([]string, 0, len(cases))
	for name := range cases {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
