package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// settleTime is what a run that was interrupted may still take to write down
// what it has and to end what it started.
const settleTime = 30 * time.Second

func runCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Bring the stack up, run the cases of a lane, judge, report",
		Example: `  floodgate run
  floodgate run --case B02 --seed 41
  floodgate run --policies ./policies --lane seed
  floodgate run --fault limitador:off-by-one-high
  floodgate run --limitador /usr/local/bin/limitador-server`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := configure(cmd); err != nil {
				return &exit{exitUsage, err}
			}
			plan, err := o.plan(cmd.Context())
			if err != nil {
				return &exit{exitUsage, err}
			}
			if o.dryRun {
				defer plan.discard()
				return plan.describe(cmd.OutOrStdout())
			}
			ctx := cmd.Context()
			if o.leashed {
				held, release := untilEOF(ctx, cmd.InOrStdin())
				defer release()
				ctx = held
			}
			return plan.execute(ctx, cmd.OutOrStdout())
		},
	}
	o.register(cmd.Flags())
	return cmd
}

// execute does the run that was planned. Its error carries the exit code.
func (p *plan) execute(ctx context.Context, out io.Writer) (err error) {
	defer p.discard()
	if err := p.makeRoom(); err != nil {
		return &exit{exitUsage, err}
	}
	story, err := newChronicle(p)
	if err != nil {
		return &exit{exitUsage, err}
	}
	show := newProgress(out, p)
	show.plan()
	if _, left := orphans(os.TempDir()); len(left) > 0 {
		fmt.Fprintln(show, "a run that was killed has left changes in a cluster: floodgate down takes them back")
	}

	if p.kubernetes.Keep {
		if err := p.remember(); err != nil {
			return &exit{exitUsage, err}
		}
	}
	system, err := p.provider.Up(ctx, p.clusterOptions(show))
	if err != nil {
		return story.failedToStart(ctx, show, err)
	}
	down := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTime)
		defer cancel()
		return system.Down(ctx)
	}
	defer func() {
		if recovered := recover(); recovered != nil {
			_ = down()
			panic(recovered)
		}
	}()
	if err := story.stackIsUp(system); err != nil {
		story.warn("the record: %v", err)
	}
	show.stack(story.record)
	p.adapt(system, show)
	show.cases()

	ended := p.observe(ctx, system, story, show)
	story.readBooks(ctx, system)
	story.diagnosing.end(story)
	if p.keep && ctx.Err() == nil {
		ended = story.close(out, show, ended)
		show.kept(system.Stack())
		<-ctx.Done()
		return errors.Join(ended, down())
	}
	if err := down(); err != nil {
		story.warn("the stack did not go down: %v", err)
	}
	if p.kubernetes.Keep {
		fmt.Fprintf(out, "the stack is kept; floodgate down %s ends it\n", p.shownDir)
	}
	return story.close(out, show, ended)
}

// observe runs the specs and follows what they tell, until they have ended, the
// run is interrupted, or a component dies.
func (p *plan) observe(ctx context.Context, system cluster.System, story *chronicle, show *progress) error {
	session := harness.Session{
		Run: filepath.Base(p.dir), Shown: p.shownDir, Lane: string(p.lane), Seed: p.seed, Again: p.again(),
		Stack: system.Stack(), Planned: p.planned(), Declared: namesOf(story.record.Declared),
		WindowModel: p.windowModel, Protocol: p.protocol, Trials: p.trials, Trial: p.trial, Multitude: p.multitude,
	}
	workers, stop, err := p.startWorkers(ctx, system)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
		if err := stop(ctx); err != nil {
			story.warn("the workers did not end: %v", err)
		}
	}()
	session.Workers = workers
	if err := errors.Join(harness.WriteSession(p.dir, session), harness.LeaveOut(p.dir, p.absent)); err != nil {
		return err
	}
	events, err := harness.FollowEvents(p.dir)
	if err != nil {
		return err
	}
	defer events.Close()

	// A component's death ends the specs, and is a time of which to collect.
	whole := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- p.runSpecs(ctx) }()

	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	died := system.Died()
	var failure error
	for {
		select {
		case err := <-done:
			return errors.Join(failure, err, p.follow(whole, events, story, show))
		case death, alive := <-died:
			if !alive {
				died = nil
				continue
			}
			err := fmt.Errorf("%s ended while it was needed: %w", death.Component, death.Cause)
			story.died(death)
			cancel(err)
		case <-tick.C:
			if err := p.follow(whole, events, story, show); err != nil && failure == nil {
				failure = err
				cancel(err)
			}
			show.tick()
		}
	}
}

// follow hands on what the specs have told since the last time.
func (p *plan) follow(ctx context.Context, events *harness.EventReader, story *chronicle, show *progress) error {
	for {
		event, ok, err := events.Next()
		if err != nil || !ok {
			return err
		}
		show.event(event)
		story.diagnosing.event(ctx, event)
		if event.Kind == harness.CaseEnded {
			if err := story.update(); err != nil {
				return err
			}
		}
	}
}

// close settles the record, renders it and says how it went.
func (j *chronicle) close(out io.Writer, show *progress, ended error) error {
	code, err := j.settle(ended)
	show.end()
	err = errors.Join(err, present(out, j.plan.dir, j.plan.shownDir, j.record))
	if err != nil {
		if code == exitPass {
			code = exitInconclusive
		}
		return &exit{code, err}
	}
	if code != exitPass {
		return &exit{code: code}
	}
	return nil
}

// exitOf is the exit code that a record's verdict stands for.
func exitOf(record *reports.Record) int {
	switch record.Verdict {
	case reports.Pass:
		return exitPass
	case reports.Fail:
		return exitFail
	case reports.Inconclusive, reports.NotJudged:
	}
	return exitInconclusive
}

// makeRoom creates the run's folder, unless the plan has one already, and the
// private one for what holds keys.
func (p *plan) makeRoom() (err error) {
	if p.dir == "" {
		p.shownDir, p.dir, err = makeRunDir(p.out, time.Now().UTC().Format("20060102T150405Z"))
		if err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(p.dir, "logs"), 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := p.makePrivate(); err != nil {
		return err
	}
	return p.writeVariants()
}

func (p *plan) discard() {
	if p.private != "" {
		_ = os.RemoveAll(p.private)
	}
}
