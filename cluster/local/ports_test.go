package local

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// occupied is a port on which this process listens until the test ends.
func occupied(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", hostPort(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, text, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestTakeGivesNoPortTwice(t *testing.T) {
	a, err := newAllocator(nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for range 200 {
		port, fixed, err := a.take(gatewayPort, true)
		if err != nil || fixed || seen[port] {
			t.Fatalf("port %d: fixed %t, seen %t, %v", port, fixed, seen[port], err)
		}
		seen[port] = true
	}
}

func TestTakeFixedPort(t *testing.T) {
	port := occupied(t)
	a, err := newAllocator(map[string]int{gatewayPort: port})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = a.take(gatewayPort, true)
	var taken *takenError
	if !errors.As(err, &taken) || taken.port != port || !strings.Contains(err.Error(), strconv.Itoa(port)) {
		t.Errorf("got %v, want that port %d is taken", err, port)
	}
	if other, fixed, err := a.take(gatewayPort, false); err != nil || fixed || other == port {
		t.Errorf("for another variant: port %d, fixed %t, %v", other, fixed, err)
	}
}

func TestTakeNamesTheOwner(t *testing.T) {
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		t.Skip("no procfs here")
	}
	want := "(pid " + strconv.Itoa(os.Getpid()) + ")"
	if got := owner("/proc", occupied(t)); !strings.Contains(got, want) {
		t.Errorf("owner %q, want this process, %s", got, want)
	}
}

func TestOwnerWithoutProcfs(t *testing.T) {
	if got := owner(filepath.Join(t.TempDir(), "proc"), 80); got != "" {
		t.Errorf("owner %q, want none", got)
	}
}

func TestFixedPortsAreChecked(t *testing.T) {
	for name, fixed := range map[string]map[string]int{
		"no such port": {"router": 8080},
		"port 0":       {gatewayPort: 0},
		"port 65536":   {gatewayPort: 65536},
		"a port twice": {gatewayPort: 8080, modelPort: 8080},
	} {
		if _, err := newAllocator(fixed); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
