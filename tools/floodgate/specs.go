package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/suites/conformance"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// specsGrace is how long specs may take to write down what they have when the
// run is interrupted.
const specsGrace = 12 * time.Second

// specsCommand runs Ginkgo in processes of its own: its runner and its spec
// processes take over signals, flags and the exit code of whoever runs them.
func specsCommand() *cobra.Command {
	var preview bool
	var program, filter string
	var processes int
	var seed int64
	cmd := &cobra.Command{
		Use:    "specs",
		Short:  "Run specs on the stack of a run's folder",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !preview {
				conformance.Coordinate(program, processes, filter, seed)
			}
			if code := conformance.Preview(filter, cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&preview, "preview", false, "list the specs instead")
	flags.StringVar(&program, "program", "", "this program under the name "+conformance.Program)
	flags.StringVar(&filter, "filter", "", "Ginkgo label filter")
	flags.IntVar(&processes, "processes", 1, "spec processes")
	flags.Int64Var(&seed, "seed", 1, "order of specs")
	return cmd
}

// previewSpecs lists the specs that a label filter selects.
func previewSpecs(ctx context.Context, filter string) ([]conformance.Spec, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "specs", "--preview", "--filter", filter)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("list the specs of %q: %w\n%s", filter, err, bytes.TrimSpace(append(stdout.Bytes(), stderr.Bytes()...)))
	}
	var specs []conformance.Spec
	if err := json.Unmarshal(stdout.Bytes(), &specs); err != nil {
		return nil, fmt.Errorf("list the specs of %q: %w", filter, err)
	}
	return specs, nil
}

// runSpecs runs the selected specs and returns when all spec processes have
// ended. Ginkgo's own words go to the run's logs; what was found is in the
// run's folder. An error means that the specs did not run to their end.
func (p *plan) runSpecs(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	program := filepath.Join(p.private, conformance.Program)
	if err := os.Symlink(self, program); err != nil {
		return fmt.Errorf("name the spec program: %w", err)
	}
	log, err := os.Create(filepath.Join(p.dir, "logs", "specs.log"))
	if err != nil {
		return fmt.Errorf("log the specs: %w", err)
	}
	defer log.Close()

	cmd := exec.CommandContext(ctx, self, "specs", "--program", program, "--filter", p.filter,
		"--processes", strconv.Itoa(p.processes), "--seed", strconv.FormatInt(p.seed, 10))
	cmd.Env = append(os.Environ(), harness.EnvRunDir+"="+p.dir)
	if p.patience > 0 {
		cmd.Env = append(cmd.Env, harness.EnvCasePatience+"="+p.patience.String())
	}
	cmd.Stdout, cmd.Stderr = log, log
	// A group of their own: a terminal's Ctrl-C reaches them through us, once.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = specsGrace
	err = cmd.Run()
	if cmd.Process != nil {
		// Whatever of the group outlived its runner.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &ended) && ended.Exited():
		// Specs that do not pass make Ginkgo exit with 1; the cases say why.
		return nil
	case err != nil:
		return fmt.Errorf("the specs' runner: %w", err)
	}
	return nil
}
