package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/interference"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// proxyLabel marks the pod that stands before a Service's own pods, by the
// Service's name.
const proxyLabel = "floodgate.dev/before"

// Interfere has a network fault on the way to a component, by a pod of ours: the
// component's Service leads to the pod, and the pod to the component. It returns
// once the Service leads nowhere else and the fault is on; mend takes all of it
// back. Who resolves the Service's name anew meets the fault from then on; a
// connection that is open stays until the caller resolves, which is every 5 s in a
// real gateway (vectors of the cluster). Nothing but a Service and a pod are
// needed, no NetworkPolicy and no privilege.
func (s *System) Interfere(ctx context.Context, name string, fault cluster.NetworkFault) (mend func(context.Context) error, err error) {
	p, err := s.between(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("interfere with %s: %w", name, err)
	}
	mend = func(ctx context.Context) error {
		if err := p.takeAway(ctx); err != nil {
			return fmt.Errorf("mend %s: %w", name, err)
		}
		return nil
	}
	bounded, cancel := context.WithTimeoutCause(ctx, replicaPatience, fmt.Errorf("not so after %s", replicaPatience))
	defer cancel()
	if err := p.put(bounded, fault); err != nil {
		return nil, errors.Join(fmt.Errorf("interfere with %s: %w", name, err), mend(context.WithoutCancel(ctx)))
	}
	return mend, nil
}

// between is what stands between a Service and its pods.
type between struct {
	system  *System
	service *corev1.Service
	// own is the selector of the Service's own pods, ports are theirs, in the order
	// of the Service's.
	own   map[string]string
	ports []int
	// there says that a proxy of ours stands there already.
	there bool
}

func (s *System) between(ctx context.Context, name string) (*between, error) {
	w, err := s.workload(name)
	if err != nil {
		return nil, err
	}
	if w.Service == "" {
		return nil, fmt.Errorf("no Service stands before its pods: %w", errors.ErrUnsupported)
	}
	if s.state.Image == "" {
		return nil, fmt.Errorf("no image of our own pods is known in this cluster, --pod-image names one: %w", errors.ErrUnsupported)
	}
	service, err := s.cluster.Client.CoreV1().Services(w.Namespace).Get(ctx, w.Service, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Service %s/%s: %w", w.Namespace, w.Service, err)
	}
	p := &between{system: s, service: service, own: service.Spec.Selector, there: service.Spec.Selector[proxyLabel] != ""}
	if p.there {
		behind, err := s.cluster.Client.CoreV1().Services(w.Namespace).Get(ctx, p.behind(), metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read Service %s/%s: %w", w.Namespace, p.behind(), err)
		}
		p.own = behind.Spec.Selector
	}
	if len(p.own) == 0 {
		return nil, fmt.Errorf("no pods are selected by Service %s/%s: %w", w.Namespace, w.Service, errors.ErrUnsupported)
	}
	pods, err := s.cluster.Pods(ctx, w.Namespace, w.Selector)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("no pod of %s with %s runs", w.Namespace, w.Selector)
	}
	for _, port := range service.Spec.Ports {
		if port.Protocol != corev1.ProtocolTCP && port.Protocol != "" {
			return nil, fmt.Errorf("port %s of Service %s/%s is %s: %w", port.Name, w.Namespace, w.Service, port.Protocol, errors.ErrUnsupported)
		}
		p.ports = append(p.ports, podPort(&pods[0], port))
	}
	return p, nil
}

func (p *between) behind() string { return "floodgate-behind-" + p.service.Name }
func (p *between) before() string { return "floodgate-before-" + p.service.Name }

// put makes the pod, leads the Service to it, and has it show the fault.
func (p *between) put(ctx context.Context, fault cluster.NetworkFault) error {
	if p.there {
		return p.set(ctx, fault)
	}
	s := p.system
	pod, err := p.pod()
	if err != nil {
		return err
	}
	for _, object := range []any{p.serviceBehind(), pod} {
		made, err := unstructuredOf(object)
		if err != nil {
			return err
		}
		s.label(made)
		if err := s.changes.replace(ctx, made); err != nil {
			return err
		}
	}
	if err := kube.Until(ctx, pollInterval, func(ctx context.Context) error {
		_, err := s.cluster.ReadyPod(p.service.Namespace, proxyLabel+"="+p.service.Name)(ctx)
		return err
	}); err != nil {
		return p.explained(ctx, err)
	}
	if err := p.lead(ctx, p.toProxy()); err != nil {
		return err
	}
	return p.set(ctx, fault)
}

// takeAway leads the Service to its own pods again and ends the proxy.
func (p *between) takeAway(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, replicaPatience, fmt.Errorf("not so after %s", replicaPatience))
	defer cancel()
	s, core := p.system, p.system.cluster.Client.CoreV1()
	err := p.lead(ctx, p.toItsOwn())
	pod := Resource{"v1", "Pod", p.service.Namespace, p.before()}.object()
	behind := Resource{"v1", "Service", p.service.Namespace, p.behind()}.object()
	err = errors.Join(err, s.changes.remove(ctx, pod), s.changes.remove(ctx, behind))
	return errors.Join(err, kube.Until(ctx, pollInterval, func(ctx context.Context) error {
		_, err := core.Pods(p.service.Namespace).Get(ctx, p.before(), metav1.GetOptions{})
		if kube.Missing(err) {
			return nil
		}
		return errors.Join(err, errors.New("the proxy's pod is still there"))
	}))
}

// toProxy and toItsOwn are merges of a Service's selector.
func (p *between) toProxy() map[string]any {
	selector := map[string]any{proxyLabel: p.service.Name}
	for key := range p.own {
		selector[key] = nil
	}
	return selector
}

func (p *between) toItsOwn() map[string]any {
	selector := map[string]any{proxyLabel: nil}
	for key, value := range p.own {
		selector[key] = value
	}
	return selector
}

// lead has the Service select other pods, and returns once it leads to them alone.
func (p *between) lead(ctx context.Context, selector map[string]any) error {
	s, namespace := p.system, p.service.Namespace
	service := Resource{"v1", "Service", namespace, p.service.Name}.object()
	if err := s.changes.merge(ctx, service, map[string]any{"spec": map[string]any{"selector": selector}}); err != nil {
		return err
	}
	want := map[string]string{}
	for key, value := range selector {
		if text, ok := value.(string); ok {
			want[key] = text
		}
	}
	return kube.Until(ctx, pollInterval, func(ctx context.Context) error {
		pods, err := s.cluster.Pods(ctx, namespace, labelsOf(want))
		if err != nil {
			return err
		}
		var names []string
		for _, pod := range pods {
			if kube.Ready(&pod) {
				names = append(names, pod.Name)
			}
		}
		return kube.ServiceLeadsTo(namespace, p.service.Name, names)(ctx, s.cluster)
	})
}

// set has the proxy show a fault.
func (p *between) set(ctx context.Context, fault cluster.NetworkFault) error {
	forward, err := p.system.cluster.Forward(ctx, p.system.cluster.ReadyPod(p.service.Namespace, proxyLabel+"="+p.service.Name), interference.ControlPort)
	if err != nil {
		return err
	}
	defer func() { _ = forward.Close() }()
	body, err := json.Marshal(interference.Fault(fault))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+forward.Addr()+interference.ControlPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("tell the proxy what to do: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("tell the proxy what to do: status %d", answer.StatusCode)
	}
	return nil
}

// explained is why the proxy's pod is not ready, by the cluster's own reasons.
func (p *between) explained(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	troubles, _ := p.system.cluster.Troubles(ctx, p.service.Namespace, proxyLabel+"="+p.service.Name)
	reasons := make([]string, len(troubles))
	for i, trouble := range troubles {
		reasons[i] = trouble.String()
	}
	if len(reasons) == 0 {
		return fmt.Errorf("the proxy's pod: %w", err)
	}
	return fmt.Errorf("the proxy's pod: %w: %s", err, strings.Join(reasons, "; "))
}

// serviceBehind finds the pods that the Service led to. It has no address of its
// own: its name is looked up for each connection.
func (p *between) serviceBehind() *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: p.service.Namespace, Name: p.behind()},
		Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: maps.Clone(p.own), Ports: portsOf(p.service)},
	}
}

func portsOf(service *corev1.Service) []corev1.ServicePort {
	ports := slices.Clone(service.Spec.Ports)
	for i := range ports {
		ports[i].NodePort = 0
	}
	return ports
}

// pod is the proxy. It is a pod without an owner: whoever deletes it mends.
func (p *between) pod() (*corev1.Pod, error) {
	args := []string{"proxy"}
	var ports []corev1.ContainerPort
	for i, port := range p.ports {
		if port < 1024 || port == interference.ControlPort {
			return nil, fmt.Errorf("port %d of its pods cannot be a proxy's, which has no privilege: %w", port, errors.ErrUnsupported)
		}
		args = append(args, "--before", fmt.Sprintf(":%d=%s.%s.svc:%d", port, p.behind(), p.service.Namespace, port))
		// A Service that names its target port finds it by this name.
		one := corev1.ContainerPort{ContainerPort: int32(port)}
		if target := p.service.Spec.Ports[i].TargetPort; target.StrVal != "" {
			one.Name = target.StrVal
		}
		ports = append(ports, one)
	}
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: p.service.Namespace, Name: p.before(), Labels: map[string]string{proxyLabel: p.service.Name}},
		Spec:       ourPod(p.system.state.Image, "proxy", args, append(ports, corev1.ContainerPort{ContainerPort: interference.ControlPort})),
	}, nil
}

func unstructuredOf(object any) (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, err
	}
	delete(fields, "status")
	return &unstructured.Unstructured{Object: fields}, nil
}
