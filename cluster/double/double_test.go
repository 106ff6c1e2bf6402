package double_test

import (
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/cluster/providertest"
)

func TestContract(t *testing.T) {
	providertest.Run(t, providertest.Contract{
		New: func(*testing.T) cluster.Provider { return double.New() },
	})
}

func TestUpRefusesRealPrograms(t *testing.T) {
	_, err := double.New().Up(t.Context(), cluster.Options{Programs: map[string]string{"limitador": "/bin/limitador-server"}})
	if err == nil || !strings.Contains(err.Error(), "stand-ins only") {
		t.Errorf("got %v, want a refusal", err)
	}
}
