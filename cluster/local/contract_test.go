package local

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/providertest"
)

// prometheusUnderTest is the Prometheus that tests use, NoPrometheus unless
// the environment names one: nothing is built for a test.
func prometheusUnderTest() string {
	if program := os.Getenv("FLOODGATE_PROMETHEUS"); program != "" {
		return program
	}
	if program, err := cachedPrometheus(); err == nil {
		if _, err := os.Stat(program); err == nil {
			return program
		}
	}
	return NoPrometheus
}

func TestContract(t *testing.T) {
	providertest.Run(t, providertest.Contract{
		New:      func(*testing.T) cluster.Provider { return &Provider{} },
		Programs: map[string]string{prometheus: prometheusUnderTest()},
		Kill: func(t *testing.T, component cluster.Component) {
			if err := syscall.Kill(component.PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		},
		Gone: func(component cluster.Component) string {
			if err := syscall.Kill(component.PID, 0); !errors.Is(err, syscall.ESRCH) {
				return fmt.Sprintf("process %d", component.PID)
			}
			return ""
		},
	})
}
