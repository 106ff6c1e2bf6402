package reports_test

import (
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
)

func TestKindsTellVariantsOnce(t *testing.T) {
	stack := reports.Stack{Components: []reports.Part{
		{Name: "limitador", Origin: "stand-in", Version: "v2"},
		{Name: "limitador@twin", Origin: "stand-in", Version: "v2"},
		{Name: "limitador@open", Origin: "stand-in", Version: "v2", Faults: []string{"late"}},
		{Name: "prometheus", Origin: "real", Version: "v0"},
	}}
	var names []string
	for _, kind := range stack.Kinds() {
		names = append(names, kind.String())
	}
	want := "limitador ×2 STAND-IN v2; limitador STAND-IN v2, fault late; prometheus real v0"
	if got := strings.Join(names, "; "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(stack.Components) != 4 || stack.Components[1].Name != "limitador@twin" {
		t.Error("the stack itself was changed")
	}
}
