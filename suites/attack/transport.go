package attack

import (
	"context"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/sync/errgroup"
)

const (
	// maxAnswerHeader bounds what a hostile answer can make us hold.
	maxAnswerHeader = 256 << 10
	// dialsAtOnce keeps a big burst's connections from overflowing the
	// listener's backlog.
	dialsAtOnce = 64
)

// network is an attack's own way to the target: no proxy, no redirects, no
// transparent compression, no connection shared with another attack.
type network struct {
	*http.Transport
	dialer net.Dialer
	// ready are connections that were opened before they were needed.
	ready chan net.Conn
}

func newNetwork(a Attack, workers int) *network {
	n := &network{dialer: net.Dialer{Timeout: a.Timeout}}
	if from := net.ParseIP(a.From); from != nil {
		n.dialer.LocalAddr = &net.TCPAddr{IP: from}
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(a.Protocol == HTTP1)
	protocols.SetUnencryptedHTTP2(a.Protocol == H2C)
	n.Transport = &http.Transport{
		DialContext:            n.dial,
		Protocols:              protocols,
		DisableCompression:     true,
		DisableKeepAlives:      a.NoKeepAlive,
		MaxIdleConnsPerHost:    workers,
		MaxConnsPerHost:        a.Connections,
		MaxResponseHeaderBytes: maxAnswerHeader,
		TLSHandshakeTimeout:    a.Timeout,
	}
	if a.Target.AbsoluteForm {
		// The target is its own proxy: the same connection, another request line.
		n.Proxy = func(hit *http.Request) (*url.URL, error) {
			return &url.URL{Scheme: hit.URL.Scheme, Host: hit.URL.Host}, nil
		}
	}
	return n
}

func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	select {
	case conn := <-n.ready:
		return conn, nil
	default:
		return n.dialer.DialContext(ctx, network, address)
	}
}

// open opens so many connections to target ahead of the hits. What cannot be
// opened is left to the hits themselves, whose entries then say why.
func (n *network) open(ctx context.Context, target *url.URL, connections int) {
	port := target.Port()
	if port == "" {
		port = target.Scheme // a service name that net knows
	}
	address := net.JoinHostPort(target.Hostname(), port)
	n.ready = make(chan net.Conn, connections)
	var dials errgroup.Group
	dials.SetLimit(dialsAtOnce)
	for range connections {
		dials.Go(func() error {
			conn, err := n.dialer.DialContext(ctx, "tcp", address)
			if err == nil {
				n.ready <- conn
			}
			return err
		})
	}
	_ = dials.Wait()
}

// close ends the attack's connections, used or not.
func (n *network) close() {
	for {
		select {
		case conn := <-n.ready:
			_ = conn.Close()
		default:
			n.CloseIdleConnections()
			return
		}
	}
}
