package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream" //nolint:staticcheck // client-go hands these types out still
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// Forward is a loopback address behind which a port of a pod stands. It stays
// when the pod goes: the next connection is made to whichever pod then is the
// one that is asked for.
type Forward struct {
	cluster *Cluster
	pick    Pick
	port    int
	listen  net.Listener

	mu     sync.Mutex
	link   *link
	remade int
	served sync.WaitGroup
	stop   context.CancelFunc
}

// Pick names the pod that a Forward goes to now.
type Pick func(ctx context.Context) (*corev1.Pod, error)

// link is a connection to a pod through the API server, over which any number
// of TCP connections go.
type link struct {
	pod  string
	conn httpstream.Connection
	next int
}

// linkPatience bounds how long a new connection waits for a pod to go to.
const linkPatience = 10 * time.Second

// Forward opens a loopback address for a port of the pod that pick names. It is
// made before any pod is asked for, and Close ends it.
func (c *Cluster) Forward(ctx context.Context, pick Pick, port int) (*Forward, error) {
	listen, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for a port-forward: %w", err)
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &Forward{cluster: c, pick: pick, port: port, listen: listen, stop: stop}
	f.served.Go(func() { f.accept(serving) })
	return f, nil
}

// Addr is host:port on loopback.
func (f *Forward) Addr() string { return f.listen.Addr().String() }

// Remade is how often the link to a pod had to be made again.
func (f *Forward) Remade() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.remade
}

// Close ends the address and what goes through it.
func (f *Forward) Close() error {
	f.stop()
	err := f.listen.Close()
	f.mu.Lock()
	if f.link != nil {
		_ = f.link.conn.Close()
		f.link = nil
	}
	f.mu.Unlock()
	f.served.Wait()
	return err
}

func (f *Forward) accept(ctx context.Context) {
	for {
		conn, err := f.listen.Accept()
		if err != nil {
			return
		}
		f.served.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			f.carry(ctx, conn)
		})
	}
}

// carry copies a connection to the pod and back. What cannot be carried is
// closed, so that the caller sees a connection reset and no silence.
func (f *Forward) carry(ctx context.Context, conn net.Conn) {
	streams, err := f.streams(ctx)
	if err != nil {
		return
	}
	defer streams.end()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(streams.data, conn)
		_ = streams.data.Close()
	}()
	received := make(chan struct{})
	go func() {
		defer close(received)
		_, _ = io.Copy(conn, streams.data)
	}()
	// The kubelet says on the other stream why it cannot reach the port.
	complaint := make(chan []byte, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(streams.errors, 4096))
		complaint <- text
	}()
	select {
	case <-received:
	case text := <-complaint:
		if len(text) > 0 {
			f.drop(streams.link)
			return
		}
		<-received
	}
}

// pair are the two streams of one forwarded connection.
type pair struct {
	link         *link
	data, errors httpstream.Stream
}

func (p pair) end() {
	_ = p.data.Reset()
	p.link.conn.RemoveStreams(p.data, p.errors)
}

// streams opens a connection to the pod, over the link that stands or over a
// new one.
func (f *Forward) streams(ctx context.Context) (pair, error) {
	ctx, cancel := context.WithTimeout(ctx, linkPatience)
	defer cancel()
	var opened pair
	err := Until(ctx, 100*time.Millisecond, func(ctx context.Context) error {
		l, id, err := f.linked(ctx)
		if err != nil {
			return err
		}
		opened, err = l.open(f.port, id)
		if err != nil {
			f.drop(l)
		}
		return err
	})
	return opened, err
}

// linked returns the link and the number of the next connection over it.
func (f *Forward) linked(ctx context.Context) (*link, int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.link != nil {
		select {
		case <-f.link.conn.CloseChan():
			f.link = nil
			f.remade++
		default:
			f.link.next++
			return f.link, f.link.next, nil
		}
	}
	pod, err := f.pick(ctx)
	if err != nil {
		return nil, 0, err
	}
	conn, err := f.cluster.dialPod(pod.Namespace, pod.Name)
	if err != nil {
		return nil, 0, err
	}
	f.link = &link{pod: pod.Namespace + "/" + pod.Name, conn: conn}
	return f.link, 0, nil
}

// drop gives a link up that does not carry.
func (f *Forward) drop(l *link) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.link == l {
		f.link = nil
		f.remade++
		_ = l.conn.Close()
	}
}

func (l *link) open(port, id int) (pair, error) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(id))
	errorStream, err := l.conn.CreateStream(headers)
	if err != nil {
		return pair{}, fmt.Errorf("forward to pod %s: %w", l.pod, err)
	}
	// Nothing is ever sent on it.
	_ = errorStream.Close()
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := l.conn.CreateStream(headers)
	if err != nil {
		l.conn.RemoveStreams(errorStream)
		return pair{}, fmt.Errorf("forward to pod %s: %w", l.pod, err)
	}
	return pair{l, data, errorStream}, nil
}

// dialPod opens a port-forward connection to a pod: over WebSockets, or over
// SPDY where the server does not speak them, as kubectl does.
func (c *Cluster) dialPod(namespace, name string) (httpstream.Connection, error) {
	target := c.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(name).SubResource("portforward").URL()
	dialer, err := c.podDialer(target)
	if err != nil {
		return nil, err
	}
	conn, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, fmt.Errorf("forward to pod %s/%s: %w", namespace, name, err)
	}
	if protocol != portforward.PortForwardProtocolV1Name {
		return nil, errors.Join(fmt.Errorf("forward to pod %s/%s: the server speaks %q", namespace, name, protocol), conn.Close())
	}
	return conn, nil
}

func (c *Cluster) podDialer(target *url.URL) (httpstream.Dialer, error) {
	transport, upgrader, err := spdy.RoundTripperFor(c.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare a port-forward: %w", err)
	}
	overSPDY := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	overWebSockets, err := portforward.NewSPDYOverWebsocketDialer(target, c.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare a port-forward: %w", err)
	}
	return portforward.NewFallbackDialer(overWebSockets, overSPDY, func(error) bool {
		// WebSockets ask for another right than SPDY does, get instead of create, so
		// that any refusal is reason to ask the other way.
		return true
	}), nil
}

// Pods are the pods of a namespace with the labels of a selector that are not
// ending, oldest first.
func (c *Cluster) Pods(ctx context.Context, namespace, selector string) ([]corev1.Pod, error) {
	list, err := c.Client.CoreV1().Pods(namespace).List(ctx, listOptions(selector))
	if err != nil {
		return nil, fmt.Errorf("list pods of %s with %s: %w", namespace, selector, err)
	}
	pods := slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning })
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		if n := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); n != 0 {
			return n
		}
		return slices.Compare([]string{a.Name}, []string{b.Name})
	})
	return pods, nil
}

// Ready tells whether a pod is ready to serve.
func Ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// ReadyPod picks a ready pod of a selector, the oldest.
func (c *Cluster) ReadyPod(namespace, selector string) Pick {
	return func(ctx context.Context) (*corev1.Pod, error) {
		pods, err := c.Pods(ctx, namespace, selector)
		if err != nil {
			return nil, err
		}
		for i := range pods {
			if Ready(&pods[i]) {
				return &pods[i], nil
			}
		}
		return nil, fmt.Errorf("no pod of %s with %s is ready", namespace, selector)
	}
}

// ThePod picks one pod by name.
func (c *Cluster) ThePod(namespace, name string) Pick {
	return func(ctx context.Context) (*corev1.Pod, error) {
		return c.Client.CoreV1().Pods(namespace).Get(ctx, name, getOptions())
	}
}
