package local

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/floodgate-dev/floodgate/cluster"
)

// system is a stack that this process brought up. It restarts components, also
// for processes that are attached to it.
type system struct {
	*attached
	stack *stack
	// control is nil until the stack is up.
	control *control
}

var (
	_ cluster.System         = (*system)(nil)
	_ cluster.IdentityIssuer = (*system)(nil)
	_ cluster.SecretEditor   = (*system)(nil)
	_ cluster.PolicyEditor   = (*system)(nil)
	_ cluster.Restarter      = (*system)(nil)

	_ cluster.System         = (*attached)(nil)
	_ cluster.IdentityIssuer = (*attached)(nil)
	_ cluster.SecretEditor   = (*attached)(nil)
	_ cluster.PolicyEditor   = (*attached)(nil)
	_ cluster.Restarter      = (*attached)(nil)
	_ cluster.Stopper        = (*attached)(nil)

	_ cluster.LimitsFileEditor = (*attached)(nil)
	_ cluster.MisplacedStarter = (*attached)(nil)
	_ cluster.Interferer       = (*attached)(nil)
	_ cluster.Pauser           = (*attached)(nil)
	_ cluster.Scaler           = (*attached)(nil)
	_ cluster.ClockStepper     = (*attached)(nil)
	_ cluster.LimiterLister    = (*attached)(nil)
	_ cluster.GatewayLister    = (*attached)(nil)
)

// Stack says what is up and where; a component that was restarted has another
// process.
func (s *system) Stack() cluster.Stack {
	up := s.up
	up.Components = s.stack.components()
	return up
}

// Died delivers components that ended on their own.
func (s *system) Died() <-chan cluster.Death { return s.stack.deaths }

// Down ends everything, takes the keys out of the logs, and removes the private
// folder.
func (s *system) Down(ctx context.Context) error {
	s.reader.Close()
	if s.control != nil {
		s.control.close()
	}
	err := s.stack.down(ctx)
	err = errors.Join(err, redactLogs(s.stack.logs, s.stack.state))
	if removal := os.RemoveAll(s.up.State); removal != nil {
		err = errors.Join(err, fmt.Errorf("remove the folder with the keys: %w", removal))
	}
	return err
}
