package providertest

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
)

func (c Contract) refusesUnknownFaults(t *testing.T) {
	for _, component := range []string{"limitador", "gateway", "nobody"} {
		options := c.options(t)
		options.Faults = map[string][]string{component: {"no-such-fault"}}
		system, err := c.New(t).Up(t.Context(), options)
		if err == nil {
			t.Errorf("%s: no error", component)
			_ = system.Down(t.Context())
			continue
		}
		if text := err.Error(); !strings.Contains(text, component) || component != "nobody" && !strings.Contains(text, "no-such-fault") {
			t.Errorf("%s: the error names neither component nor fault: %v", component, err)
		}
	}
}

// showsFaults: a fault reaches the stand-in, and the stack says so.
func (c Contract) showsFaults(t *testing.T) {
	options := c.options(t)
	options.Faults = map[string][]string{"limitador": {"off-by-one-high"}}
	s := c.up(t, options)
	ann := s.identity(t, "ann")
	got := fire(t, s.Stack().Variants["policy"].Gateway, s.set.Request(), ann, "ann", int(ann.Quota())+2)
	if want := admitted(ann.Quota()+1, 1); !slices.Equal(got, want) {
		t.Errorf("with off-by-one-high: %v, want %v", got, want)
	}
	for _, component := range s.Stack().Components {
		if faulty := component.Name == "limitador"; faulty != slices.Contains(component.Faults, "off-by-one-high") {
			t.Errorf("%s has the faults %v", component.Name, component.Faults)
		}
	}
}

func (c Contract) refusesTakenPorts(t *testing.T) {
	_, text, err := net.SplitHostPort(busy(t))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	options := c.options(t)
	options.Ports = map[string]int{"gateway": port}
	system, err := c.New(t).Up(t.Context(), options)
	if err == nil {
		_ = system.Down(t.Context())
		t.Fatal("no error")
	}
	var start *cluster.StartError
	if !errors.As(err, &start) || start.Component != "gateway" || !strings.Contains(err.Error(), text) || start.Next == "" {
		t.Errorf("got %v, want a StartError of the gateway that names port %s and what to do", err, text)
	}
}

func (c Contract) refusesBadOptions(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*cluster.Options)
		want   string
	}{
		"no variant":         {func(o *cluster.Options) { o.Variants = nil }, "no policy"},
		"a relative folder":  {func(o *cluster.Options) { o.RunDir = "out" }, "absolute"},
		"no manifests there": {func(o *cluster.Options) { o.Variants[0].Dir = t.TempDir() }, "policy"},
		"an unknown port":    {func(o *cluster.Options) { o.Ports = map[string]int{"router": 80} }, "router"},
		"a name that is a path": {func(o *cluster.Options) {
			o.Variants[0].Name = "../policy"
		}, "../policy"},
		"a variant twice": {func(o *cluster.Options) { o.Variants = append(o.Variants, o.Variants[0]) }, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			options := c.options(t)
			test.change(&options)
			system, err := c.New(t).Up(t.Context(), options)
			if err == nil {
				_ = system.Down(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
