package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

// clusterPolicies stands for the policies that a cluster has in force.
const clusterPolicies = "cluster"

// readPolicies reads the policies of the run, as they are tried with its request.
func (p *plan) readPolicies(ctx context.Context) (*policy.Set, error) {
	set, err := p.findPolicies(ctx)
	if err != nil || set == nil {
		return nil, err
	}
	tried, err := trying(set, p.request)
	if err != nil {
		p.discard()
		return nil, err
	}
	p.chosen = tried != set
	return tried, nil
}

// trying is the set tried with a call, or without one with the one that most of
// its limits apply to.
func trying(set *policy.Set, call string) (*policy.Set, error) {
	if call == "" {
		if call = set.Widest().Call(); call == set.Request().Call() {
			return set, nil
		}
	}
	tried, err := set.Trying(call)
	if err != nil {
		return nil, fmt.Errorf("--request %w", err)
	}
	return tried, nil
}

// findPolicies reads the policies that were named, or, on a cluster that nothing is
// installed into, those in force there.
func (p *plan) findPolicies(ctx context.Context) (*policy.Set, error) {
	source, finds := p.provider.(cluster.PolicySource)
	if p.policies == seedPolicies && finds && p.kubernetes.Plan == cluster.PlanNone {
		p.policies = clusterPolicies
	}
	if p.policies != clusterPolicies {
		return readPolicies(p.policies)
	}
	if p.provider == nil {
		// That is said already.
		return nil, nil
	}
	if !finds {
		return nil, fmt.Errorf("--policies %s: provider %s finds no policies by itself; a folder of that name is ./%s", clusterPolicies, p.provider.Name(), clusterPolicies)
	}
	if err := p.makePrivate(); err != nil {
		return nil, err
	}
	dir := filepath.Join(p.private, "found")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	var notes strings.Builder
	set, err := func() (*policy.Set, error) {
		if err := source.Policies(ctx, p.clusterOptions(&notes), dir); err != nil {
			if errors.Is(err, errors.ErrUnsupported) {
				return nil, fmt.Errorf("--policies: a folder of the manifests in force is needed: %w", err)
			}
			return nil, fmt.Errorf("find the policies in force: %w", err)
		}
		return policy.Read(dir)
	}()
	if err != nil {
		p.discard()
		return nil, err
	}
	p.found = dir
	p.notes = strings.Split(strings.TrimSpace(notes.String()), "\n")
	if notes.Len() == 0 {
		p.notes = nil
	}
	return set, nil
}

// makePrivate makes the folder for what holds keys, once.
func (p *plan) makePrivate() (err error) {
	if p.private != "" {
		return nil
	}
	if p.private, err = makePrivate(); err != nil {
		return fmt.Errorf("make room for the policy's variants: %w", err)
	}
	return nil
}
