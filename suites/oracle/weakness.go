package oracle

import (
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// weak judges behaviour that is a known weakness of the system under test, or
// several at once, as known does.
func (t *trial) weak(names []string, c cause, hits []int, format string, args ...any) reports.Finding {
	return t.known(blame(c, hits, format, args...), names...)
}

// known takes a fail for the known weaknesses of the system under test that it
// is: where the run declares all of them it becomes a pass that says so, else it
// stays a fail that names those which are not declared.
func (t *trial) known(f reports.Finding, names ...string) reports.Finding {
	if undeclared := slices.DeleteFunc(slices.Clone(names), t.declared); len(undeclared) > 0 {
		f.Weaknesses = undeclared
		return f
	}
	f.Verdict, f.Weaknesses = reports.Pass, names
	f.Reason += "; as declared: " + strings.Join(names, ", ")
	f.Component, f.Attribution = reports.Unattributed, ""
	return f
}

// declared says that the run takes a weakness as given.
func (t *trial) declared(name string) bool { return slices.Contains(t.q.Declared, name) }
