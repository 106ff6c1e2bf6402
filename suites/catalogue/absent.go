package catalogue

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed absent.tsv
var absences string

// Need names what a case without a spec waits for.
type Need string

// The needs. ASpec is the one that only work takes away: what the case needs is
// there, and nobody has written it down.
const (
	Kubernetes  Need = "kubernetes"
	Redis       Need = "redis"
	Disk        Need = "disk"
	TokenLimits Need = "token limits"
	RealLimiter Need = "real limiter"
	ShadowMode  Need = "shadow mode"
	UnitTests   Need = "unit tests"
	// OtherModel is a backend that speaks what no model server of the product does.
	OtherModel Need = "another model server"
	ASpec      Need = "a spec"
)

var needs = []Need{Kubernetes, Redis, Disk, TokenLimits, RealLimiter, ShadowMode, UnitTests, OtherModel, ASpec}

// Absence is why a case has no spec.
type Absence struct {
	Need Need
	// Why says in words what of the case the need is needed for.
	Why string
}

// String is the reason as records and reports give it.
func (a Absence) String() string { return fmt.Sprintf("no spec: it needs %s: %s", a.Need, a.Why) }

// Absences are the cases without a spec, by ID, each with its reason. Whoever
// writes a case's spec takes its line out of absent.tsv.
func Absences() (map[string]Absence, error) {
	lines := strings.Split(strings.TrimSuffix(absences, "\n"), "\n")
	absent := make(map[string]Absence, len(lines))
	for number, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		if len(cells) != 3 || cells[2] == "" {
			return nil, fmt.Errorf("absent.tsv:%d: want an ID, a need and why", number+2)
		}
		if _, twice := absent[cells[0]]; twice {
			return nil, fmt.Errorf("absent.tsv:%d: %s stands twice", number+2, cells[0])
		}
		if _, err := Find(cells[0]); err != nil {
			return nil, fmt.Errorf("absent.tsv:%d: %w", number+2, err)
		}
		if !slices.Contains(needs, Need(cells[1])) {
			return nil, fmt.Errorf("absent.tsv:%d: need %q is unknown: want one of %q", number+2, cells[1], needs)
		}
		absent[cells[0]] = Absence{Need(cells[1]), cells[2]}
	}
	return absent, nil
}

// Mismatches are the ways in which the catalogue and the specs that there are
// differ: cases with neither a spec nor a reason, and cases with both.
func Mismatches(specified []string) ([]string, error) {
	cases, err := All()
	if err != nil {
		return nil, err
	}
	absent, err := Absences()
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, c := range cases {
		_, reasoned := absent[c.ID]
		switch has := slices.Contains(specified, c.ID); {
		case has && reasoned:
			wrong = append(wrong, c.ID+" has a spec: take its line out of suites/catalogue/absent.tsv")
		case !has && !reasoned:
			wrong = append(wrong, c.ID+" has no spec: say in suites/catalogue/absent.tsv what it needs")
		}
	}
	return wrong, nil
}

// Includes says whether a lane's runs are to judge a case: a lane contains the
// lanes before it. Lane seed judges again what lane smoke has on shortened
// windows, and lacks nothing of its own.
func (l Lane) Includes(c Case) bool {
	within := map[Lane][]Lane{
		Smoke:   {Smoke},
		Full:    {Smoke, Full},
		Release: {Smoke, Full, Release, Random},
		Random:  {Random},
	}
	return slices.Contains(within[l], c.Lane)
}
