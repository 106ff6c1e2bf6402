package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/cluster"
)

// The files of a stack that was brought up to stay, in its folder.
const (
	stackDir   = "stack"
	stackState = "up.json"
	stackLock  = "lock"
	stackLog   = "up.log"
)

// lockPoll is how often a lock is tried that another process holds.
const lockPoll = 100 * time.Millisecond

// standing is a stack that was brought up to stay.
type standing struct {
	PID   int           `json:"pid"`
	Stack cluster.Stack `json:"stack"`
}

func upCommand() *cobra.Command {
	var o options
	var foreground, dryRun bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring the stack up and leave it up; floodgate down ends it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := configure(cmd); err != nil {
				return &exit{exitUsage, err}
			}
			p, wrong := o.stackPlan(cmd.Context())
			if len(wrong) > 0 {
				return &exit{exitUsage, errors.Join(wrong...)}
			}
			dir, err := filepath.Abs(filepath.Join(o.out, stackDir))
			if err != nil {
				return &exit{exitUsage, fmt.Errorf("--out: %w", err)}
			}
			p.dir, p.shownDir = dir, filepath.Join(o.out, stackDir)
			if o.seed == 0 {
				if err := p.resume(); err != nil {
					return &exit{exitUsage, err}
				}
			}
			if dryRun {
				return p.dryUp(cmd.Context(), cmd.OutOrStdout())
			}
			// What stays up is taken down by floodgate down, not by whoever dies.
			p.kubernetes.Keep = true
			if foreground {
				return stand(cmd.Context(), p, cmd.OutOrStdout())
			}
			return detach(cmd.Context(), p, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	o.registerStack(flags)
	flags.StringVar(&o.out, "out", "out", "folder for the stack's folder")
	flags.BoolVar(&dryRun, "dry-run", false, "on Kubernetes: print the plan and all that it applies, start nothing")
	flags.BoolVar(&foreground, "foreground", false, "stay, and end the stack with this command")
	return cmd
}

// stand brings the stack up, says so in its folder, and keeps it until the
// context ends.
func stand(ctx context.Context, p *plan, out io.Writer) error {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return &exit{exitUsage, fmt.Errorf("--out: %w", err)}
	}
	lock, err := takeLock(filepath.Join(p.dir, stackLock))
	if err != nil {
		return &exit{exitUsage, fmt.Errorf("a stack is up in %s already, floodgate down ends it: %w", p.shownDir, err)}
	}
	defer lock.Close()
	defer p.discard()
	if err := p.makeRoom(); err != nil {
		return &exit{exitUsage, err}
	}
	if err := p.remember(); err != nil {
		return &exit{exitUsage, err}
	}
	system, err := p.provider.Up(ctx, p.clusterOptions(out))
	if err != nil {
		return &exit{exitStack, p.withDiagnosis(err)}
	}
	state := filepath.Join(p.dir, stackState)
	defer os.Remove(state)
	content, err := json.MarshalIndent(standing{os.Getpid(), system.Stack()}, "", "  ")
	if err == nil {
		// Written beside and renamed: whoever waits for it never reads half.
		err = errors.Join(os.WriteFile(state+".new", content, 0o644), os.Rename(state+".new", state))
	}
	if err == nil {
		describeStack(out, system.Stack())
		err = keepUp(ctx, system)
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTime)
	defer cancel()
	err = errors.Join(err, system.Down(down))
	if remover, ok := p.provider.(cluster.Remover); ok {
		err = errors.Join(err, remover.Remove(down, p.clusterOptions(out)))
	}
	if err = errors.Join(err, p.forget()); err != nil {
		return &exit{exitStack, err}
	}
	return nil
}

// keepUp returns when the context ends, or a component did.
func keepUp(ctx context.Context, system cluster.System) error {
	select {
	case <-ctx.Done():
		return nil
	case death := <-system.Died():
		return fmt.Errorf("%s ended while it was needed: %w\n%s", death.Component, death.Cause, death.Log)
	}
}

// detach starts this command again as the stack's keeper and returns when the
// stack is up.
func detach(ctx context.Context, p *plan, out io.Writer) error {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return &exit{exitUsage, fmt.Errorf("--out: %w", err)}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	lock, err := takeLock(filepath.Join(p.dir, stackLock))
	if err != nil {
		return &exit{exitUsage, fmt.Errorf("a stack is up in %s already, floodgate down ends it: %w", p.shownDir, err)}
	}
	// The keeper takes it; this was only to ask.
	_ = lock.Close()
	logPath := filepath.Join(p.dir, stackLog)
	log, err := os.Create(logPath)
	if err != nil {
		return &exit{exitUsage, fmt.Errorf("--out: %w", err)}
	}
	defer log.Close()
	keeper := exec.Command(self, append(slices.Clone(os.Args[1:]), "--foreground")...)
	keeper.Stdout, keeper.Stderr = log, log
	// A session of its own: the stack outlives this terminal.
	keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := keeper.Start(); err != nil {
		return &exit{exitStack, fmt.Errorf("start the stack's keeper: %w", err)}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// How it ended is read from its state and its log.
		_ = keeper.Wait()
	}()
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			text, _ := os.ReadFile(logPath)
			return &exit{keeper.ProcessState.ExitCode(), fmt.Errorf("the stack did not come up:\n%s", strings.TrimSpace(string(text)))}
		case <-ctx.Done():
			_ = keeper.Process.Signal(syscall.SIGTERM)
			<-ended
			return &exit{exitStack, context.Cause(ctx)}
		case <-tick.C:
			state, err := readStanding(p.dir)
			if err == nil && state.PID == keeper.Process.Pid {
				describeStack(out, state.Stack)
				fmt.Fprintf(out, "floodgate down --out %s ends it\n", filepath.Dir(p.shownDir))
				return nil
			}
		}
	}
}

func downCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "down [RUN]",
		Short: "End the stack that floodgate up has left up, or that a run has kept",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := configure(cmd); err != nil {
				return &exit{exitUsage, err}
			}
			dir := filepath.Join(out, stackDir)
			if len(args) > 0 {
				dir = args[0]
			}
			return takeDown(cmd.Context(), dir, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&out, "out", "out", "the folder that floodgate up was given")
	return cmd
}

// takeDown ends a stack, and takes back what runs that were killed have left in
// clusters that are not theirs.
func takeDown(ctx context.Context, dir string, out io.Writer) error {
	// At the end: a keeper that was killed a moment ago may not be gone yet.
	defer removeOrphans(os.TempDir())
	if err := endKeeper(ctx, dir, out); err != nil {
		return err
	}
	if err := takeBackOrphans(ctx, os.TempDir(), out); err != nil {
		return &exit{exitStack, err}
	}
	return nil
}

// endKeeper ends the stack's keeper, which is the process that holds the lock,
// and returns when it has let go of it: then everything it started is gone.
func endKeeper(ctx context.Context, dir string, out io.Writer) error {
	path := filepath.Join(dir, stackLock)
	lock, err := takeLock(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil {
		if lock != nil {
			defer lock.Close()
		}
		return removeLeft(ctx, dir, out)
	}
	state, err := readStanding(dir)
	if err != nil {
		return &exit{exitUsage, fmt.Errorf("the stack is coming up or going down: %w", err)}
	}
	if err := syscall.Kill(state.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return &exit{exitStack, fmt.Errorf("end the stack's keeper, process %d: %w", state.PID, err)}
	}
	ctx, cancel := context.WithTimeout(ctx, downTime)
	defer cancel()
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return &exit{exitStack, fmt.Errorf("process %d has not ended: %w", state.PID, context.Cause(ctx))}
		case <-tick.C:
			lock, err := takeLock(path)
			if err != nil {
				continue
			}
			defer lock.Close()
			if _, cutOff, err := readAsked(dir); cutOff || err != nil {
				// It was killed, and has not taken its stack down.
				return removeLeft(ctx, dir, out)
			}
			_, err = fmt.Fprintln(out, "the stack is down")
			return err
		}
	}
}

func readStanding(dir string) (standing, error) {
	var state standing
	content, err := os.ReadFile(filepath.Join(dir, stackState))
	if err != nil {
		return state, err
	}
	return state, json.Unmarshal(content, &state)
}

// takeLock takes a lock that ends with its holder, however that ends.
func takeLock(path string) (*os.File, error) {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func describeStack(out io.Writer, stack cluster.Stack) {
	for _, component := range stack.Components {
		fmt.Fprintf(out, "  %-18s %-9s %s\n", component.Name, component.Origin, component.Version)
	}
	for _, name := range slices.Sorted(maps.Keys(stack.Variants)) {
		variant := stack.Variants[name]
		fmt.Fprintf(out, "  %-18s %s\n", name+" gateway", variant.Gateway)
		fmt.Fprintf(out, "  %-18s %s\n", name+" limiter", strings.Join(variant.Limiters, " "))
	}
	if stack.Prometheus != "" {
		fmt.Fprintf(out, "  %-18s %s\n", "prometheus", stack.Prometheus)
	}
}
