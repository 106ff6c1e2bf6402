package cluster

import (
	"context"
	"errors"
	"fmt"
)

// GatewayLister lists the gateways of a variant as they are now. Where a system
// has it, Variant.GatewayStats was that of one of them at the start.
type GatewayLister interface {
	// GatewayStats are the URLs of each gateway's counters, one a replica.
	GatewayStats(ctx context.Context, variant string) ([]string, error)
}

// InstanceLister lists what Prometheus scrapes of a variant's limiters as they
// are now. Where a system has it, Variant.PrometheusInstances were those at the
// start.
type InstanceLister interface {
	// Instances are the instance labels of the limiters that serve now.
	Instances(ctx context.Context, variant string) ([]string, error)
}

// Restricted is a system that lacks some of what its type could do: rights, or
// an endpoint.
type Restricted interface {
	// Lacks says why a capability is missing, nil if it is not. The capability is
	// a nil pointer to its interface: (*IdentityIssuer)(nil).
	Lacks(capability any) error
}

// Wrapper is a system around another one, whose capabilities are its own.
type Wrapper interface {
	Unwrap() System
}

// As is the system as one that has a capability, or why it has not. What a
// wrapper has not, the system in it may have.
func As[T any](system System) (T, error) {
	var none T
	for inner := system; inner != nil; {
		if restricted, ok := inner.(Restricted); ok {
			if err := restricted.Lacks((*T)(nil)); err != nil {
				return none, err
			}
		}
		if capable, ok := inner.(T); ok {
			return capable, nil
		}
		wrapper, ok := inner.(Wrapper)
		if !ok {
			break
		}
		inner = wrapper.Unwrap()
	}
	if system == nil {
		return none, errors.New("there is no system")
	}
	return none, fmt.Errorf("provider %s cannot do this", system.Stack().Provider)
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
