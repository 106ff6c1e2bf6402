package cluster

import (
	"context"
	"fmt"
)

// GatewayLister lists the gateways of a variant as they are now. Where a system
// has it, Variant.GatewayStats was that of one of them at the start.
type GatewayLister interface {
	// GatewayStats are the URLs of each gateway's counters, one a replica.
	GatewayStats(ctx context.Context, variant string) ([]string, error)
}

// Restricted is a system that lacks some of what its type could do: rights, or
// an endpoint.
type Restricted interface {
	// Lacks says why a capability is missing, nil if it is not. The capability is
	// a nil pointer to its interface: (*IdentityIssuer)(nil).
	Lacks(capability any) error
}

// As is the system as one that has a capability, or why it has not.
func As[T any](system System) (T, error) {
	capable, ok := system.(T)
	if !ok {
		return capable, fmt.Errorf("provider %s has no such capability", system.Stack().Provider)
	}
	if restricted, ok := system.(Restricted); ok {
		if err := restricted.Lacks((*T)(nil)); err != nil {
			var none T
			return none, err
		}
	}
	return capable, nil
}

// Capability is something that a system can do, or cannot, for people.
type Capability struct {
	Name string `json:"name"`
	Has  bool   `json:"has"`
	// Why says what is missing, or what is used.
	Why string `json:"why,omitempty"`
}

// CapabilityTeller lists what a system can do.
type CapabilityTeller interface {
	Capabilities() []Capability
}
