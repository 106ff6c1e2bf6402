package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/cluster/existing"
	"github.com/floodgate-dev/floodgate/cluster/local"
)

// need is something that a run can use, whether it is there, and what to do
// if it is not.
type need struct {
	name string
	// forWhat says what is lost without it.
	forWhat string
	find    func() (string, error)
	remedy  string
	// required means that the main job cannot run without it.
	required bool
}

func doctorCommand() *cobra.Command {
	var provider string
	var k kubernetesFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine lacks and how to get it, and what can be done with a system that exists",
		Example: `  floodgate doctor
  floodgate doctor --provider existing --kubeconfig ./kubeconfig --read-only
  floodgate doctor --gateway-url http://gateway.example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := configure(cmd); err != nil {
				return &exit{exitUsage, err}
			}
			named := k.asked.Kubeconfig != "" || k.asked.Context != "" || k.asked.Gateway != ""
			if provider == providerExisting || provider == "" && named {
				if err := k.examine(cmd.Context(), cmd.OutOrStdout()); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "this machine")
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			lacking := 0
			for _, n := range needs() {
				found, err := n.find()
				switch {
				case err == nil:
					fmt.Fprintf(table, "ok\t%s\t%s\n", n.name, found)
				case n.required:
					lacking++
					fmt.Fprintf(table, "MISSING\t%s\tneeded for %s: %v; %s\n", n.name, n.forWhat, err, n.remedy)
				default:
					fmt.Fprintf(table, "absent\t%s\twithout it: no %s; %s\n", n.name, n.forWhat, n.remedy)
				}
			}
			if err := table.Flush(); err != nil {
				return err
			}
			if lacking > 0 {
				return &exit{exitStack, fmt.Errorf("%d things are missing for the main job", lacking)}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&provider, "provider", "", "existing: say what can be done with the system that the other flags lead to")
	k.registerExisting(cmd.Flags())
	return cmd
}

// examinePatience bounds the look at a system that exists.
const examinePatience = time.Minute

// examine says what a run could do with a system that exists, and why not more.
func (k *kubernetesFlags) examine(ctx context.Context, out io.Writer) error {
	asked, wrong := k.options(providerExisting)
	if len(wrong) > 0 {
		return &exit{exitUsage, errors.Join(wrong...)}
	}
	ctx, cancel := context.WithTimeout(ctx, examinePatience)
	defer cancel()
	list, err := existing.Capabilities(ctx, asked)
	if err != nil {
		return &exit{exitStack, fmt.Errorf("the system that exists: %w", err)}
	}
	fmt.Fprintln(out, "the system that exists")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, one := range list {
		state := "ok"
		if !one.Has {
			state = "missing"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", state, one.Name, one.Why)
	}
	return table.Flush()
}

func needs() []need {
	program := func(names ...string) func() (string, error) {
		return func() (string, error) {
			var err error
			for _, name := range names {
				var path string
				if path, err = exec.LookPath(name); err == nil {
					return path, nil
				}
			}
			return "", err
		}
	}
	return []need{
		{"loopback", "the stack's processes", func() (string, error) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return "", err
			}
			return "127.0.0.1", listener.Close()
		}, "allow processes to listen on 127.0.0.1", true},
		{"temporary folder", "keys of issued identities", func() (string, error) {
			dir, err := os.MkdirTemp("", "floodgate-doctor-")
			if err != nil {
				return "", err
			}
			return filepath.Dir(dir), os.Remove(dir)
		}, "set TMPDIR to a folder that can be written", true},
		{
			"prometheus", "Prometheus' book", local.FindPrometheus,
			"give --prometheus PATH, or install Go: it is then built once, in 3 to 6 minutes", false,
		},
		{"go", "building Prometheus", program("go"), "install Go 1.26 from go.dev", false},
		{
			"limitador-server", "runs against the real limiter on this machine (the stand-in is used)", program("limitador-server"),
			"give --limitador PATH to a program built from Kuadrant/limitador", false,
		},
		{
			"llm-d-inference-sim", "runs against the real simulator on this machine (the stand-in is used)", program("llm-d-inference-sim"),
			"give --llmd PATH to a program built from llm-d/llm-d-inference-sim", false,
		},
		{
			"container engine", "clusters by kind", engine,
			"install docker or podman and start it, or use --provider local", false,
		},
		{
			"inotify instances", "more than two clusters by kind at a time", watches,
			"sysctl fs.inotify.max_user_instances=1024", false,
		},
		{
			"floodgate-pod", "stand-ins as pods and attacks from inside a cluster", beside("floodgate-pod"),
			"make pod builds it beside this program", false,
		},
		{
			"floodgate-charts", "stack kuadrant, which is installed by Helm", beside("floodgate-charts"),
			"make charts builds it beside this program", false,
		},
		{
			"chromium", "the report's test in a browser", program("chromium", "chromium-browser", "google-chrome"),
			"install the package chromium", false,
		},
		{"platform", "a supported platform", func() (string, error) {
			if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
				return "", fmt.Errorf("%s is not supported", runtime.GOOS)
			}
			return runtime.GOOS + "/" + runtime.GOARCH, nil
		}, "use Linux or macOS", true},
	}
}

// leastWatches is what kind recommends: a node uses some 20, and the default of
// 128 is used up by a handful.
const leastWatches = 512

// watches are how many inotify instances a user may have, where that is limited.
func watches() (string, error) {
	if runtime.GOOS != "linux" {
		return "not limited here", nil
	}
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_user_instances")
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err == nil && n < leastWatches {
		err = fmt.Errorf("%d are allowed, kind recommends %d", n, leastWatches)
	}
	return fmt.Sprint(n), err
}

// engine asks the container engine whether it serves.
func engine() (string, error) {
	var last error
	for _, name := range []string{"docker", "podman"} {
		path, err := exec.LookPath(name)
		if err != nil {
			last = err
			continue
		}
		version, err := exec.Command(path, "version", "--format", "{{.Server.Version}}").Output()
		if err == nil {
			return name + " " + strings.TrimSpace(string(version)), nil
		}
		last = fmt.Errorf("%s is there and does not answer", name)
	}
	return "", last
}

// beside finds a program beside this one, or on PATH.
func beside(name string) func() (string, error) {
	return func() (string, error) {
		if self, err := os.Executable(); err == nil {
			path := filepath.Join(filepath.Dir(self), name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path, nil
			}
		}
		return exec.LookPath(name)
	}
}
