package cluster_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
)

type plain struct{ cluster.System }

func (plain) Stack() cluster.Stack { return cluster.Stack{Provider: "p"} }

type restarter struct {
	plain
	why error
}

func (restarter) Restart(context.Context, string) error { return nil }
func (restarter) Stop(context.Context, string) error    { return nil }

func (r restarter) Lacks(capability any) error {
	if _, ok := capability.(*cluster.Restarter); ok {
		return r.why
	}
	return nil
}

type wrapper struct {
	plain
	inner cluster.System
}

func (w wrapper) Unwrap() cluster.System { return w.inner }

func TestAs(t *testing.T) {
	denied := errors.New("may not delete pods")
	for name, test := range map[string]struct {
		system cluster.System
		why    string
	}{
		"has it":              {restarter{}, ""},
		"wrapped":             {wrapper{inner: restarter{}}, ""},
		"wrapped twice":       {wrapper{inner: wrapper{inner: restarter{}}}, ""},
		"has not":             {plain{}, "provider p cannot"},
		"wrapped has not":     {wrapper{inner: plain{}}, "provider p cannot"},
		"restricted":          {restarter{why: denied}, "may not delete pods"},
		"wrapped, restricted": {wrapper{inner: restarter{why: denied}}, "may not delete pods"},
	} {
		t.Run(name, func(t *testing.T) {
			capable, err := cluster.As[cluster.Restarter](test.system)
			switch {
			case test.why == "" && (err != nil || capable == nil):
				t.Errorf("got %v, %v", capable, err)
			case test.why != "" && (err == nil || !strings.Contains(err.Error(), test.why) || capable != nil):
				t.Errorf("got %v, %v, want %q", capable, err, test.why)
			}
		})
	}
	if _, err := cluster.As[cluster.Stopper](restarter{why: denied}); err != nil {
		t.Errorf("a right to restart that lacks keeps it from stopping: %v", err)
	}
}
