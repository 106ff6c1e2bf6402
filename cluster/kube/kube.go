// Package kube talks to a Kubernetes API server: objects applied and deleted,
// pods found, forwarded to and read, troubles collected. It is the only home of
// client-go and of e2e-framework's klient.
package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/klient/k8s/resources"
)

// FieldManager is the name under which Apply owns fields.
const FieldManager = "floodgate"

// Cluster is a connection to an API server.
type Cluster struct {
	// Config is the connection's configuration. It holds credentials.
	Config *rest.Config
	// Client is the typed client, Dynamic the one for any kind.
	Client  kubernetes.Interface
	Dynamic dynamic.Interface

	objects *resources.Resources
	kinds   *restmapper.DeferredDiscoveryRESTMapper
}

// Connect reads a kubeconfig and makes a connection. contextName chooses one of
// its contexts, "" the current one; path "" means KUBECONFIG or the default
// file, as kubectl does.
func Connect(path, contextName string) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if path != "" {
		rules.ExplicitPath = path
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: contextName}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	return New(config)
}

// InCluster is the connection of a pod to its own cluster.
func InCluster() (*Cluster, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, fmt.Errorf("this is no pod of a cluster: %w", err)
	}
	return New(config)
}

// New makes a connection of a configuration.
func New(config *rest.Config) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.RateLimiter = newPace()
	// client-go would print them to stderr, in the midst of ours.
	config.WarningHandler = rest.NoWarnings{}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	anyKind, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	client, err := klient.New(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	cache := memory.NewMemCacheClient(discovery.NewDiscoveryClient(typed.Discovery().RESTClient()))
	return &Cluster{
		Config: config, Client: typed, Dynamic: anyKind, objects: client.Resources(),
		kinds: restmapper.NewDeferredDiscoveryRESTMapper(cache),
	}, nil
}

// Version is the API server's, such as v1.34.4.
func (c *Cluster) Version(ctx context.Context) (string, error) {
	text, err := c.Client.Discovery().RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return "", fmt.Errorf("ask the API server for its version: %w", err)
	}
	return versionOf(text)
}

// resource finds how the API server serves an object's kind. A kind that was
// made after the last look is found by a second one.
func (c *Cluster) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := c.kinds.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		c.kinds.Reset()
		mapping, err = c.kinds.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Name(object), err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return c.Dynamic.Resource(mapping.Resource), nil
	}
	return c.Dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace()), nil
}

// Name is an object's name for people: Kind namespace/name.
func Name(object *unstructured.Unstructured) string {
	if ns := object.GetNamespace(); ns != "" {
		return fmt.Sprintf("%s %s/%s", object.GetKind(), ns, object.GetName())
	}
	return fmt.Sprintf("%s %s", object.GetKind(), object.GetName())
}

// Until repeats a question every interval until its answer is nil or the
// context ends; then its error is the context's cause with the last answer.
func Until(ctx context.Context, interval time.Duration, question func(context.Context) error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last error
	for {
		err := question(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil && !errors.Is(err, errNotAsked) {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; the last answer: %w", context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// Get reads the object of the given one's kind, namespace and name.
func (c *Cluster) Get(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource, err := c.resource(object)
	if err != nil {
		return nil, err
	}
	return resource.Get(ctx, object.GetName(), metav1.GetOptions{})
}
