package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

const (
	// dialPatience is how long an address may take to accept a connection before
	// it is taken for one that cannot be reached from here.
	dialPatience = 2 * time.Second
	// gatewayPatience is how long a new Gateway may take to have a ready pod and
	// programmed listeners.
	gatewayPatience = 3 * time.Minute
	statsPath       = "/stats/prometheus"
)

// gatewayOf is the Gateway of a variant, as namespace and name.
func (s *System) gatewayOf(v cluster.Variant) (namespace, name string, err error) {
	set, err := s.set(v)
	if err != nil {
		return "", "", err
	}
	namespace, name, ok := strings.Cut(set.Request().Gateway, "/")
	if !ok {
		return "", "", fmt.Errorf("variant %s: its policies act on no Gateway's routes", v.Name)
	}
	return namespace, name, nil
}

// gatewayPods are a variant's gateway pods, forwarded to for their counters.
func (s *System) gatewayPods(v cluster.Variant) (*podForwards, error) {
	namespace, name, err := s.gatewayOf(v)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.gateways[v.Name]
	if !ok {
		f = newPodForwards(s.cluster, Workload{Namespace: namespace, Selector: gatewayLabel + "=" + name, Port: gatewayStatsPort})
		s.gateways[v.Name] = f
	}
	return f, nil
}

// GatewayStats are the URLs of the counters of each of a variant's gateways now.
func (s *System) GatewayStats(ctx context.Context, variant string) ([]string, error) {
	v, err := s.variant(variant)
	if err != nil {
		return nil, err
	}
	f, err := s.gatewayPods(v)
	if err != nil {
		return nil, err
	}
	addresses, _, err := f.addresses(ctx)
	if err != nil {
		return nil, err
	}
	for i := range addresses {
		addresses[i] = "http://" + addresses[i] + statsPath
	}
	return addresses, nil
}

// addresses waits for every variant's gateway and finds its addresses.
func (s *System) addresses(ctx context.Context, options cluster.KubernetesOptions) error {
	for name, v := range s.up.Variants {
		var err error
		if name == MainVariant && options.Gateway != "" {
			v.Gateway = strings.TrimRight(options.Gateway, "/")
		} else {
			url, err := s.gatewayURL(ctx, v)
			if err != nil {
				return &cluster.StartError{
					Component: component(gatewayName, name), Waiting: "an address of the Gateway that can be reached from here", Cause: err,
					Next: "look at the Gateway's status and its pods; --gateway-url names an address",
				}
			}
			v.Gateway = url
		}
		if v.GatewayInside, err = s.gatewayInside(ctx, v); err != nil {
			s.progress.line("variant %s: no address inside of the cluster: %v", name, err)
		}
		switch {
		case name == MainVariant && options.GatewayStats != "":
			v.GatewayStats = options.GatewayStats
		case s.mayForward():
			// A gateway whose pods carry no such label has no book here.
			if stats, err := s.GatewayStats(ctx, name); err == nil {
				v.GatewayStats = stats[0]
			} else {
				s.progress.line("variant %s: no book of the gateway: %v", name, err)
			}
		}
		s.up.Variants[name] = v
	}
	return nil
}

// gatewayURL is an address of a variant's Gateway that takes connections from
// here: what its status says, its Service's load balancer, a node's port, or a
// port-forward to one of its pods.
func (s *System) gatewayURL(ctx context.Context, v cluster.Variant) (string, error) {
	namespace, name, err := s.gatewayOf(v)
	if err != nil {
		return "", err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, gatewayPatience, fmt.Errorf("not there after %s", gatewayPatience))
	defer cancel()
	var gateway *unstructured.Unstructured
	var services []corev1.Service
	err = kube.Until(bounded, pollInterval, func(ctx context.Context) error {
		if gateway, err = s.cluster.Get(ctx, Resource{gatewayKind.GroupVersion().String(), gatewayKind.Kind, namespace, name}.object()); err != nil {
			return err
		}
		list, err := s.cluster.Client.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{LabelSelector: gatewayLabel + "=" + name})
		if err != nil {
			return err
		}
		services = list.Items
		if addresses, _, _ := unstructured.NestedSlice(gateway.Object, "status", "addresses"); len(services) == 0 && len(addresses) > 0 {
			return nil
		}
		if len(services) == 0 {
			return fmt.Errorf("neither an address nor a Service of Gateway %s/%s is there yet", namespace, name)
		}
		_, err = s.cluster.ReadyPod(namespace, gatewayLabel+"="+name)(ctx)
		return err
	})
	if err != nil {
		return "", err
	}
	port, scheme, err := listenerOf(gateway)
	if err != nil {
		return "", err
	}
	nodes, err := s.cluster.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		// Who may not list nodes still has the other ways.
		nodes = &corev1.NodeList{}
	}
	address, tried := firstDialable(ctx, gatewayAddresses(gateway, services, nodes.Items, port))
	if tried == nil {
		return scheme + "://" + address, nil
	}
	if err := s.state.Rights.Lacks(Forwards); err != nil {
		return "", errors.Join(tried, err)
	}
	podPortNumber := port
	if pod, err := s.cluster.ReadyPod(namespace, gatewayLabel+"="+name)(ctx); err == nil {
		for _, service := range services {
			for _, p := range service.Spec.Ports {
				if int(p.Port) == port {
					podPortNumber = podPort(pod, p)
				}
			}
		}
	}
	address, err = s.forward(ctx, s.cluster.ReadyPod(namespace, gatewayLabel+"="+name), podPortNumber)
	if err != nil {
		return "", err
	}
	s.progress.line("variant %s: Gateway %s/%s is reached by a port-forward, so of several gateway pods one at a time", v.Name, namespace, name)
	return scheme + "://" + address, nil
}

// gatewayInside is a variant's Gateway as pods of the cluster reach it, by its
// Service's name.
func (s *System) gatewayInside(ctx context.Context, v cluster.Variant) (string, error) {
	namespace, name, err := s.gatewayOf(v)
	if err != nil {
		return "", err
	}
	gateway, err := s.cluster.Get(ctx, Resource{gatewayKind.GroupVersion().String(), gatewayKind.Kind, namespace, name}.object())
	if err != nil {
		return "", err
	}
	port, scheme, err := listenerOf(gateway)
	if err != nil {
		return "", err
	}
	list, err := s.cluster.Client.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{LabelSelector: gatewayLabel + "=" + name})
	if err != nil {
		return "", err
	}
	for _, service := range list.Items {
		for _, p := range service.Spec.Ports {
			if int(p.Port) == port {
				return fmt.Sprintf("%s://%s.%s.svc:%d", scheme, service.Name, namespace, port), nil
			}
		}
	}
	return "", fmt.Errorf("no Service of Gateway %s/%s has port %d", namespace, name, port)
}

// firstDialable is the first address that takes a connection, or why none does.
// A node's port takes some moments longer than the pod behind it.
func firstDialable(ctx context.Context, addresses []string) (string, error) {
	if len(addresses) == 0 {
		return "", errors.New("the Gateway has no address outside of the cluster")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*dialPatience)
	defer cancel()
	found := ""
	err := kube.Until(ctx, pollInterval, func(ctx context.Context) error {
		var tried []error
		for _, address := range addresses {
			dialing, cancel := context.WithTimeout(ctx, dialPatience/time.Duration(len(addresses)))
			connection, err := new(net.Dialer).DialContext(dialing, "tcp", address)
			cancel()
			if err != nil {
				tried = append(tried, err)
				continue
			}
			found = address
			return connection.Close()
		}
		return errors.Join(tried...)
	})
	return found, err
}

// listenerOf is the port and the scheme of the listener that is fired at: the
// first of plain HTTP, else of HTTPS.
func listenerOf(gateway *unstructured.Unstructured) (port int, scheme string, err error) {
	listeners, _, _ := unstructured.NestedSlice(gateway.Object, "spec", "listeners")
	for _, wanted := range []string{"HTTP", "HTTPS"} {
		for _, item := range listeners {
			listener, _ := item.(map[string]any)
			number, _ := listener["port"].(int64)
			if listener["protocol"] == wanted && number > 0 {
				return int(number), strings.ToLower(wanted), nil
			}
		}
	}
	return 0, "", fmt.Errorf("%s has no listener of HTTP or HTTPS", kube.Name(gateway))
}

// gatewayAddresses are host:port of a Gateway, best first.
func gatewayAddresses(gateway *unstructured.Unstructured, services []corev1.Service, nodes []corev1.Node, port int) []string {
	var found []string
	add := func(host string, port int) {
		if host != "" && port > 0 {
			found = append(found, net.JoinHostPort(host, strconv.Itoa(port)))
		}
	}
	addresses, _, _ := unstructured.NestedSlice(gateway.Object, "status", "addresses")
	for _, item := range addresses {
		address, _ := item.(map[string]any)
		value, _ := address["value"].(string)
		add(value, port)
	}
	for _, service := range services {
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			add(ingress.IP, port)
			add(ingress.Hostname, port)
		}
	}
	for _, service := range services {
		for _, p := range service.Spec.Ports {
			if int(p.Port) != port || p.NodePort == 0 {
				continue
			}
			for _, node := range nodes {
				for _, address := range node.Status.Addresses {
					if address.Type == corev1.NodeInternalIP || address.Type == corev1.NodeExternalIP {
						add(address.Address, int(p.NodePort))
					}
				}
			}
		}
	}
	return found
}

// component is a component's name in a variant.
func component(name, variant string) string {
	if variant == MainVariant {
		return name
	}
	return name + "@" + variant
}
