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

// readPolicies reads the policies of the run: those that were named, or, on a
// cluster that nothing is installed into, those in force there.
func (p *plan) readPolicies(ctx context.Context) (*policy.Set, error) {
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
