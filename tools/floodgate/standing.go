package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// downTime is what the end of a stack may take: on Kubernetes everything must be
// gone, namespaces included.
const downTime = 5 * time.Minute

// askedFile says in a stack's folder what floodgate up was asked, for whoever
// takes the stack down when its keeper is gone.
const askedFile = "asked.json"

// asked is what a stack was brought up with, as far as taking it down needs it.
// It holds no keys.
type asked struct {
	Provider   string                    `json:"provider"`
	Kubernetes cluster.KubernetesOptions `json:"kubernetes"`
	Policies   string                    `json:"policies"`
	Request    string                    `json:"request,omitempty"`
	Faults     map[string][]string       `json:"faults,omitempty"`
	Programs   map[string]string         `json:"programs,omitempty"`
	Seed       int64                     `json:"seed"`
}

func (p *plan) remember() error {
	content, err := json.MarshalIndent(asked{p.provider.Name(), p.kubernetes, p.policies, p.request, p.faults, p.programs, p.seed}, "", "  ")
	if err == nil {
		// A kill in the middle must not leave half a file: down reads it.
		path := filepath.Join(p.dir, askedFile)
		err = errors.Join(os.WriteFile(path+".new", append(content, '\n'), 0o644), os.Rename(path+".new", path))
	}
	if err != nil {
		return fmt.Errorf("note what was asked: %w", err)
	}
	return nil
}

func (p *plan) forget() error {
	err := os.Remove(filepath.Join(p.dir, askedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// resume takes over what floodgate up drew when it was cut off: with another seed
// the next one would not go on but replace what is there.
func (p *plan) resume() error {
	earlier, ok, err := readAsked(p.dir)
	if err == nil && ok && earlier.Provider == p.provider.Name() {
		p.seed = earlier.Seed
	}
	return err
}

// readAsked reads what a stack's folder was brought up with. ok is false if
// there is none.
func readAsked(dir string) (a asked, ok bool, err error) {
	content, err := os.ReadFile(filepath.Join(dir, askedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return a, false, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &a)
	}
	if err != nil {
		return a, false, fmt.Errorf("%s: %w", filepath.Join(dir, askedFile), err)
	}
	return a, true, nil
}

// recall makes the plan again that a stack's folder was brought up with. ok is
// false if there is none.
func recall(ctx context.Context, dir string) (p *plan, ok bool, err error) {
	a, ok, err := readAsked(dir)
	if err != nil || !ok {
		return nil, false, err
	}
	p = &plan{kubernetes: a.Kubernetes, policies: a.Policies, request: a.Request, faults: a.Faults, programs: a.Programs, seed: a.Seed, shownDir: dir}
	if p.dir, err = filepath.Abs(dir); err != nil {
		return nil, false, err
	}
	if p.provider, err = harness.Provider(a.Provider); err != nil {
		return nil, false, err
	}
	p.set, err = p.readPolicies(ctx)
	return p, true, err
}

// removeLeft takes down what a floodgate up has left whose keeper is gone.
func removeLeft(ctx context.Context, dir string, out io.Writer) error {
	p, ok, err := recall(ctx, dir)
	if err != nil {
		return &exit{exitStack, err}
	}
	remover, removes := cluster.Remover(nil), false
	if ok {
		defer p.discard()
		remover, removes = p.provider.(cluster.Remover)
	}
	if !removes {
		_, err := fmt.Fprintf(out, "no stack is up in %s\n", dir)
		return err
	}
	if err := p.makeRoom(); err != nil {
		return &exit{exitStack, err}
	}
	ctx, cancel := context.WithTimeout(ctx, downTime)
	defer cancel()
	if err := remover.Remove(ctx, p.clusterOptions(out)); err != nil {
		return &exit{exitStack, err}
	}
	if err := p.forget(); err != nil {
		return &exit{exitStack, err}
	}
	_, err = fmt.Fprintln(out, "the stack is down")
	return err
}

// dryUp prints what floodgate up would do.
func (p *plan) dryUp(ctx context.Context, out io.Writer) error {
	defer p.discard()
	describer, ok := p.provider.(cluster.Describer)
	if !ok {
		return &exit{exitUsage, fmt.Errorf("--dry-run: provider %s has no plan of steps; floodgate run --dry-run says what would run", p.provider.Name())}
	}
	if err := p.makePrivate(); err != nil {
		return &exit{exitStack, err}
	}
	if err := p.writeVariants(); err != nil {
		return &exit{exitStack, err}
	}
	if err := describer.Describe(ctx, p.clusterOptions(out), out); err != nil {
		return &exit{exitStack, err}
	}
	return nil
}

func statusCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how far each step of a stack on Kubernetes is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := configure(cmd); err != nil {
				return &exit{exitUsage, err}
			}
			p, ok, err := recall(cmd.Context(), filepath.Join(out, stackDir))
			if err != nil {
				return &exit{exitStack, err}
			}
			if !ok {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "no stack was brought up in %s\n", filepath.Join(out, stackDir))
				return err
			}
			defer p.discard()
			teller, tells := p.provider.(cluster.StatusTeller)
			if !tells {
				state, err := readStanding(p.dir)
				if err != nil {
					return &exit{exitStack, fmt.Errorf("the stack is not up: %w", err)}
				}
				describeStack(cmd.OutOrStdout(), state.Stack)
				return nil
			}
			if err := p.makeRoom(); err != nil {
				return &exit{exitStack, err}
			}
			if err := teller.Status(cmd.Context(), p.clusterOptions(nil), cmd.OutOrStdout()); err != nil {
				return &exit{exitStack, err}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "out", "the folder that floodgate up was given")
	return cmd
}
