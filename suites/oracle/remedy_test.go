package oracle_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// mostGeneral is how many doubts may do with the remedy that any doubt has.
const mostGeneral = 25

// TestDoubtsHaveRemediesOfTheirOwn reads the rules' source: of the texts of
// doubts the oracle must know, but for a few, what to change.
func TestDoubtsHaveRemediesOfTheirOwn(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found, general := 0, 0
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			text, ok := doubtText(n)
			if !ok || strings.Trim(text, "%s") == "" {
				return true
			}
			found++
			if !oracle.KnowsRemedy(text) {
				general++
				t.Logf("%s: of the doubt %q no line of remedies in remedy.go knows what to change", set.Position(n.Pos()), text)
			}
			return true
		})
	}
	if general > mostGeneral {
		t.Errorf("%d doubts have the general remedy alone, want at most %d: add lines to remedies in remedy.go", general, mostGeneral)
	}
	if found < 80 {
		t.Errorf("only %d doubts were found in the source", found)
	}
}

// doubtText is the first argument of a call of doubt.
func doubtText(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	name, ok := call.Fun.(*ast.Ident)
	if !ok || name.Name != "doubt" {
		return "", false
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}

func TestADoubtSaysWhatToChangeAndAVerdictDoesNot(t *testing.T) {
	for name, c := range map[string]struct {
		rule    string
		targets *evidence.Targets
		want    string
	}{
		"nothing was fired": {oracle.NoOverrun, nil, "ledger"},
		"nothing is wanted": {oracle.LimitsInForce, nil, "spec"},
		"an unknown rule":   {"no-such-rule", nil, "spec"},
		"samples of their own times": {
			oracle.EveryLimiterScraped,
			&evidence.Targets{Missing: "the samples of a:1 carry times of their own"}, "honor_timestamps",
		},
	} {
		findings := oracle.Judge(oracle.Question{Rules: []string{c.rule}, Targets: c.targets}, nil)
		last := findings[len(findings)-1]
		if last.Verdict != reports.Inconclusive || !strings.Contains(last.Remedy, c.want) {
			t.Errorf("%s: %s, change %q; want a doubt that names the %s", name, last.Verdict, last.Remedy, c.want)
		}
		if held := findings[0]; held.Verdict != reports.Pass || held.Remedy != "" {
			t.Errorf("%s: the assumptions are %s and say %q to change", name, held.Verdict, held.Remedy)
		}
	}
}

// TestOthersAreNotAlwaysTheRunsToStop judges a doubt that others have caused.
func TestOthersAreNotAlwaysTheRunsToStop(t *testing.T) {
	for name, c := range map[string]struct {
		shared     bool
		want, vain string
	}{
		"the run's own cases":          {false, "run the case alone", "nobody else"},
		"whoever else calls the stack": {true, "while nobody else calls it", "--case"},
	} {
		book := func(calls int64) evidence.Snapshot {
			return evidence.Snapshot{Limiter: &evidence.LimiterBook{Total: evidence.Calls{Authorized: calls}}}
		}
		q := oracle.Question{Rules: []string{oracle.Untouched}, Shared: c.shared, Attacks: []oracle.Attack{{Name: "a", Planned: 1}}, Before: book(0), After: book(1)}
		findings := oracle.Judge(q, []evidence.Entry{{Hit: "1", Attack: "a", Outcome: evidence.Refused, Status: 401, From: evidence.FromGateway}})
		last := findings[len(findings)-1]
		if last.Verdict != reports.Inconclusive || !strings.Contains(last.Remedy, c.want) || strings.Contains(last.Remedy, c.vain) {
			t.Errorf("%s: %s, %s, change %q; want %q and not %q", name, last.Verdict, last.Reason, last.Remedy, c.want, c.vain)
		}
	}
}

func TestAPageThatCannotBeParsedIsNoMatterOfItsAddress(t *testing.T) {
	read := evidence.Snapshot{Limiter: &evidence.LimiterBook{}}
	for why, want := range map[string]string{
		"read http://h:1/metrics: exposition text: text format parsing error in line 3: invalid label": "error in line 3",
		`read http://h:1/metrics: authorized_calls is 1.5, which is no count`:                          "is 1.5, which is no count",
		"read http://h:1/metrics: connection refused":                                                  "its address and rights",
	} {
		torn := evidence.Snapshot{Missing: map[string]string{"limiter": why}}
		q := oracle.Question{Rules: []string{oracle.Untouched}, Attacks: []oracle.Attack{{Name: "a", Planned: 1}}, Before: read, After: torn}
		findings := oracle.Judge(q, []evidence.Entry{{Hit: "1", Attack: "a", Outcome: evidence.Refused, Status: 401, From: evidence.FromGateway}})
		if last := findings[len(findings)-1]; !strings.Contains(last.Remedy, want) {
			t.Errorf("%s: change %q, want %q", last.Reason, last.Remedy, want)
		}
	}
}
