// Package cluster is how a system under test comes to be. It knows nothing of
// specs and verdicts.
package cluster

import (
	"context"
	"io"
	"time"
)

// Provider brings systems under test up and takes them down.
type Provider interface {
	// Name is what --provider says.
	Name() string
	// Up brings the stack up or leaves nothing behind. Its error is a
	// *StartError where a component is to blame.
	Up(ctx context.Context, options Options) (System, error)
	// Attach finds the stack that another process brought up.
	Attach(ctx context.Context, stack Stack) (System, error)
}

// System is a stack that is up. What more it can do, it says by implementing
// the interfaces of capability.go.
type System interface {
	Stack() Stack
	// Died delivers the name and cause of each component that ended on its
	// own. It is closed by Down.
	Died() <-chan Death
	// Down ends everything that Up started, in reverse order. It may be
	// called more than once.
	Down(ctx context.Context) error
}

// Death is a component that ended while it was needed.
type Death struct {
	Component string
	Cause     error
	// Log is the end of the component's log.
	Log string
}

// Options are what a run asks of a provider.
type Options struct {
	// RunDir is absolute; logs go to RunDir/logs.
	RunDir string
	// StateDir is the absolute folder below which the provider keeps its private
	// state, keys included, until Down removes it. It is made if it is not there
	// and stays; "" is the system's folder for temporary files.
	StateDir string
	// Policies are the variants to bring up, by name; "policy" is the user's.
	Variants []VariantSpec
	// Faults maps a stand-in ("limitador") to its faults' names.
	Faults map[string][]string
	// Manners maps a stand-in to the names of the ways in which it is unusual and
	// right.
	Manners map[string][]string
	// WindowModel is how the stand-in for the limiter counts windows, "" being as
	// the real one does.
	WindowModel string
	// Limiters and Gateways are how many stand-ins of each every variant has from
	// the start, 0 for one: limiters over one store, gateways behind one address
	// with connections in turn. Where the network is to be interfered with there is
	// one limiter.
	Limiters, Gateways int
	// Programs maps a component to a user's binary ("limitador", "llmd",
	// "prometheus"); absent means the stand-in, or the search for Prometheus.
	Programs map[string]string
	// Ports maps a component of the variant "policy" to a fixed port.
	Ports map[string]int
	// Seed makes the stand-ins' random faults repeatable.
	Seed int64
	// ScrapeInterval is how often a Prometheus that is started scrapes, 0 for
	// every second.
	ScrapeInterval time.Duration
	// PrometheusSkew is how far the clock of a Prometheus that is started is shown
	// ahead, below 0 for behind, in whole milliseconds.
	PrometheusSkew time.Duration
	// Progress gets one line per step, for people.
	Progress io.Writer
	// Kubernetes is for the providers that need a cluster.
	Kubernetes KubernetesOptions
}

// VariantSpec is a policy that the stack must have in force.
type VariantSpec struct {
	Name string
	// Dir holds its manifests.
	Dir string
	// RateLimitHeaders makes the limiter send the headers of DRAFT_VERSION_03
	// (sut.md 2.6), as spec.rateLimitHeaders of a Limitador object does.
	RateLimitHeaders bool
	// LimitNames makes the limiter's limited_calls name the limit that refused
	// (sut.md 2.8), where the provider chooses its arguments.
	LimitNames bool
	// WindowModel has the stand-in for the limiter count windows by another model
	// than Options say: "epoch" or "sliding". Real limiters take none.
	WindowModel string
	// Interfered puts what Interferer needs before the components that the
	// variant's gateway calls. Other variants do without, and pay nothing.
	Interfered bool
	// Scalable has Scaler set how many gateways and limiters the variant has, where
	// replicas are not at hand anyway. There is one of each at first.
	Scalable bool
	// LimiterFailureMode is what the variant's gateway does with a hit whose limiter
	// call fails: "allow" or "deny"; "" leaves it to the operator, who allows.
	LimiterFailureMode string
	// GatewayRetries is how often more the variant's gateway sends a hit to a backend
	// that fails it, where the provider configures gateways.
	GatewayRetries int
	// ModelFailures gives the variant a model server of its own, where the provider
	// starts model servers, that fails every request in one of these ways: the
	// simulator's --failure-types (sut.md 5.1), such as "rate_limit".
	ModelFailures []string
}

// Stack says what is up and where. It holds no keys: it is written to the
// run's folder.
type Stack struct {
	Provider   string             `json:"provider"`
	Components []Component        `json:"components"`
	Variants   map[string]Variant `json:"variants"`
	// Prometheus is the base URL of its API, "" if there is none.
	Prometheus string `json:"prometheus,omitempty"`
	// Declared names the known weaknesses that the provider has set the system up
	// with (fixtures/weakness). Of a system that is there already only its owner
	// can say so.
	Declared []string `json:"declared,omitempty"`
	// Shared says that the system was there before the run, so that others may use it.
	Shared bool `json:"shared,omitempty"`
	// State is a provider's own private folder, for Attach.
	State string `json:"state,omitempty"`
}

// Variant is one policy in force behind a gateway of its own.
type Variant struct {
	Name string `json:"name"`
	// Dir holds the manifests that are in force.
	Dir string `json:"dir"`
	// Gateway is the base URL that attacks are fired at.
	Gateway string `json:"gateway"`
	// GatewayInside is the gateway's base URL inside the system's own network, ""
	// if there is none.
	GatewayInside string `json:"gatewayInside,omitempty"`
	// GatewayStats is the URL of the gateway's counters in exposition text.
	GatewayStats string `json:"gatewayStats,omitempty"`
	// Limiters are the base URLs of each limiter's HTTP API.
	Limiters []string `json:"limiters,omitempty"`
	// LimiterGRPC is host:port of the gRPC of the limiter that the stack came up with,
	// "" if it cannot be reached or there were several.
	LimiterGRPC string `json:"limiterGRPC,omitempty"`
	// PrometheusInstances are the instance labels of these limiters.
	PrometheusInstances []string `json:"prometheusInstances,omitempty"`
	// Backend is the base URL of the model server, or of the journal before it.
	Backend string `json:"backend,omitempty"`
	// Journal is the URL that answers which hit ids were served, "" if none.
	Journal string `json:"journal,omitempty"`
	// Authorizer is host:port of ext_authz gRPC, "" if it cannot be reached.
	Authorizer string `json:"authorizer,omitempty"`
	// Services are what the gateway is told of the services that it calls, nil
	// where that is not known.
	Services *Services `json:"services,omitempty"`
	// GatewayRetries is how often more the gateway sends a hit to a backend that fails
	// it, 0 where it does not or where that is not known.
	GatewayRetries int `json:"gatewayRetries,omitempty"`
	// UserLabel is the label of the limiter's metrics that names the identity,
	// "" where there is none.
	UserLabel string `json:"userLabel,omitempty"`
	// LimitNames says that limited_calls names the limit that refused.
	LimitNames bool `json:"limitNames,omitempty"`
	// WindowModel is the model by which the variant's own limiter counts, "" if it
	// counts as the limiters of the other variants do.
	WindowModel string `json:"windowModel,omitempty"`
}

// Services are how long a gateway waits for its services, and what it does with a
// hit when one of them fails: "allow" or "deny".
type Services struct {
	LimiterTimeout        time.Duration `json:"limiterTimeout"`
	LimiterFailureMode    string        `json:"limiterFailureMode"`
	AuthorizerTimeout     time.Duration `json:"authorizerTimeout"`
	AuthorizerFailureMode string        `json:"authorizerFailureMode"`
}

// Origin says whether a component is the product's own or a stand-in of ours.
type Origin string

// The origins.
const (
	Real    Origin = "real"
	StandIn Origin = "stand-in"
	// Unknown is the origin of what is known by a URL alone.
	Unknown Origin = "unknown"
)

// Component is a part of the stack.
type Component struct {
	// Name is unique in the stack: "limitador", "limitador@twin".
	Name    string   `json:"name"`
	Origin  Origin   `json:"origin"`
	Version string   `json:"version"`
	Path    string   `json:"path,omitempty"`
	Faults  []string `json:"faults,omitempty"`
	Manners []string `json:"manners,omitempty"`
	// WindowModel is how a stand-in counts windows, "" if as the real one does.
	WindowModel string `json:"windowModel,omitempty"`
	PID         int    `json:"pid,omitempty"`
	// Log is the component's log, relative to the run's folder.
	Log string `json:"log,omitempty"`
}
