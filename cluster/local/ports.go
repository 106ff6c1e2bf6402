package local

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The ports of a stack, as Options.Ports names them. A component without a
// suffix is its main port: what the gateway listens on, the limiter's gRPC.
const (
	gatewayPort      = "gateway"
	gatewayAdminPort = "gateway-admin"
	limiterPort      = "limitador"
	limiterHTTPPort  = "limitador-http"
	authorizerPort   = "authorino"
	modelPort        = "llmd"
	journalPort      = "journal"
	prometheusPort   = "prometheus"
)

func portNames() []string {
	return []string{
		gatewayPort, gatewayAdminPort, limiterPort, limiterHTTPPort, authorizerPort, modelPort, journalPort, prometheusPort,
	}
}

const loopback = "127.0.0.1"

func hostPort(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

func baseURL(port int) string { return "http://" + hostPort(port) }

// allocator hands out ports, none of them twice.
type allocator struct {
	// fixed maps a port's name to its number.
	fixed map[string]int
	mu    sync.Mutex
	given map[int]bool
}

// newAllocator checks the fixed ports' names and numbers.
func newAllocator(fixed map[string]int) (*allocator, error) {
	numbers := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		port := fixed[name]
		if !slices.Contains(portNames(), name) {
			return nil, fmt.Errorf("port %q: no such port; there are %s", name, strings.Join(portNames(), ", "))
		}
		if port < 1 || port > 65535 {
			return nil, fmt.Errorf("port %s: %d is not between 1 and 65535", name, port)
		}
		if other, twice := numbers[port]; twice {
			return nil, fmt.Errorf("port %d is given to both %s and %s", port, other, name)
		}
		numbers[port] = name
	}
	given := map[int]bool{}
	for port := range numbers {
		given[port] = true
	}
	return &allocator{fixed: fixed, given: given}, nil
}

// takenError is a fixed port that somebody else listens on.
type takenError struct {
	name  string
	port  int
	owner string
	cause error
}

func (e *takenError) Error() string {
	by := ""
	if e.owner != "" {
		by = " by " + e.owner
	}
	return fmt.Sprintf("port %d (%s) is taken%s", e.port, e.name, by)
}

func (e *takenError) Unwrap() error { return e.cause }

// take returns a port that was free a moment ago: the one that was fixed for
// name, if main allows that, or one of the kernel's.
func (a *allocator) take(name string, main bool) (port int, fixed bool, err error) {
	if port, fixed = a.fixed[name]; fixed && main {
		listener, err := net.Listen("tcp", hostPort(port))
		if err != nil {
			return 0, true, &takenError{name, port, owner("/proc", port), err}
		}
		return port, true, listener.Close()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			return 0, false, fmt.Errorf("ask the kernel for a port: %w", err)
		}
		_, text, err := net.SplitHostPort(listener.Addr().String())
		if err = errors.Join(err, listener.Close()); err != nil {
			return 0, false, err
		}
		if port, err = strconv.Atoi(text); err != nil {
			return 0, false, err
		}
		if !a.given[port] {
			a.given[port] = true
			return port, false, nil
		}
	}
}

// owner names the process that listens on a TCP port, as "nginx (pid 4711)",
// or is "" where that cannot be known: without procfs, or for processes of
// other users.
func owner(procfs string, port int) string {
	socket := listeningSocket(procfs, port)
	if socket == "" {
		return ""
	}
	links, _ := filepath.Glob(filepath.Join(procfs, "[0-9]*", "fd", "*"))
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == socket {
			process := filepath.Dir(filepath.Dir(link))
			name, _ := os.ReadFile(filepath.Join(process, "comm"))
			return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), filepath.Base(process))
		}
	}
	return ""
}

// listeningSocket is the link text of the socket that listens on a port.
func listeningSocket(procfs string, port int) string {
	const (
		local, state, inode = 1, 3, 9
		listening           = "0A"
	)
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(filepath.Join(procfs, "net", table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > inode && fields[state] == listening && strings.HasSuffix(fields[local], fmt.Sprintf(":%04X", port)) {
				return "socket:[" + fields[inode] + "]"
			}
		}
	}
	return ""
}
