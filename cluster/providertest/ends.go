package providertest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

func (c Contract) leavesNothing(t *testing.T) {
	s := c.up(t, c.options(t))
	up := s.Stack()
	// Logs that could hold keys need something to log.
	stranger := s.identity(t, "ben")
	stranger.Key = "key-of-nobody-for-tests"
	for _, identity := range []tier.Identity{s.identity(t, "ann"), stranger} {
		fire(t, up.Variants["policy"].Gateway, s.set.Request(), identity, "logged", 1)
	}
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.nothingLeft(t, up)
	if _, open := <-s.Died(); open {
		t.Error("Died delivers after Down, want it closed and empty")
	}
	if err := s.Down(t.Context()); err != nil {
		t.Errorf("a second Down: %v", err)
	}
	if _, err := s.provider.Attach(t.Context(), up); err == nil {
		t.Error("attaching to a stack that is down: no error")
	}
	for _, component := range up.Components {
		if component.Log == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(s.runDir, component.Log)); err != nil {
			t.Errorf("the log of %s is gone with the stack: %v", component.Name, err)
		}
	}
	keys := []string{s.identity(t, "ann").Key.Reveal(), s.identity(t, "ben").Key.Reveal(), stranger.Key.Reveal()}
	noKeys(t, s.runDir, keys)
}

// nothingLeft looks for processes, listeners and files of a stack that is down.
func (c Contract) nothingLeft(t *testing.T, up cluster.Stack) {
	t.Helper()
	for _, component := range up.Components {
		if c.Gone == nil {
			break
		}
		if left := c.Gone(component); left != "" {
			t.Errorf("%s left %s behind", component.Name, left)
		}
	}
	if up.State != "" {
		if _, err := os.Stat(up.State); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the private folder is still there: %v", err)
		}
	}
	endpoints := []string{up.Prometheus}
	for _, v := range up.Variants {
		endpoints = append(endpoints, v.Gateway, v.GatewayStats, v.Backend)
		endpoints = append(endpoints, v.Limiters...)
	}
	for _, endpoint := range endpoints {
		address, err := url.Parse(endpoint)
		if err != nil || address.Host == "" {
			continue
		}
		if connection, err := net.DialTimeout("tcp", address.Host, time.Second); err == nil {
			_ = connection.Close()
			t.Errorf("somebody still listens at %s", endpoint)
		}
	}
}

// noKeys: what a run leaves must be fit to be passed on.
func noKeys(t *testing.T, dir string, keys []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		for _, key := range keys {
			if strings.Contains(string(text), key) {
				t.Errorf("%s holds a key", path)
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("looked for keys in %d files: %v", files, err)
	}
}

func (c Contract) reportsDeaths(t *testing.T) {
	if c.Kill == nil {
		t.Skip("components of this provider cannot be killed from outside")
	}
	s := c.up(t, c.options(t))
	components := s.Stack().Components
	i := slices.IndexFunc(components, func(c cluster.Component) bool { return strings.HasPrefix(c.Name, "authorino") })
	if i < 0 {
		t.Fatalf("no authorizer among %v", components)
	}
	c.Kill(t, components[i])
	select {
	case death := <-s.Died():
		if death.Component != components[i].Name || death.Cause == nil {
			t.Errorf("got %+v, want the death of %s with its cause", death, components[i].Name)
		}
	case <-time.After(patience):
		t.Fatalf("the death of %s was not reported", components[i].Name)
	}
	if err := s.Down(t.Context()); err != nil {
		t.Errorf("down after a death: %v", err)
	}
}

// survivesInterruption: who interrupts a start waits for its clean end.
func (c Contract) survivesInterruption(t *testing.T) {
	interrupted := errors.New("interrupted by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	options := c.options(t)
	private := t.TempDir()
	t.Setenv("TMPDIR", private)
	options.Progress = writerFunc(func(p []byte) (int, error) {
		cancel(interrupted)
		return len(p), nil
	})
	system, err := c.New(t).Up(ctx, options)
	if err == nil {
		_ = system.Down(t.Context())
		t.Fatal("no error")
	}
	if !errors.Is(err, interrupted) && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the interruption", err)
	}
	if entries, err := os.ReadDir(private); err != nil || len(entries) > 0 {
		t.Errorf("%d private folders are left, %v", len(entries), err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
