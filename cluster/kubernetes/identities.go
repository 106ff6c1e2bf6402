package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

const (
	// keyPatience is how long a new key may take to be known: 0.2 s was measured
	// on a real authorizer that was not busy.
	keyPatience = 30 * time.Second
	// settleTime passes after a new Secret where the authorizer cannot be asked:
	// ten times what a real one takes.
	settleTime = 2 * time.Second
)

// Issue makes the identity's Secret and waits until every authorizer knows the
// key, asking these alone. Where they cannot be asked, settleTime passes.
func (s *System) Issue(ctx context.Context, variant string, identity tier.Identity, secret []byte) error {
	v, err := s.variant(variant)
	if err != nil {
		return err
	}
	if err := s.PutSecret(ctx, variant, secret); err != nil {
		return fmt.Errorf("issue %s: %w", identity, err)
	}
	set, err := s.set(v)
	if err == nil {
		err = s.awaitKey(ctx, set, identity)
	}
	if err != nil {
		return fmt.Errorf("issue %s: %w", identity, err)
	}
	return nil
}

func (s *System) awaitKey(ctx context.Context, set *policy.Set, identity tier.Identity) error {
	if s.state.Settle {
		return pause(ctx, settleTime)
	}
	return s.awaitAuthorizers(ctx, func(ctx context.Context, address string) error {
		return probe.KeyKnown(ctx, address, set, identity)
	})
}

// awaitAuthorizers repeats a question until every authorizer answers nil.
func (s *System) awaitAuthorizers(ctx context.Context, question func(ctx context.Context, address string) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, keyPatience, fmt.Errorf("not in force after %s", keyPatience))
	defer cancel()
	return kube.Until(ctx, 5*probe.Interval, func(ctx context.Context) error {
		addresses, err := s.authorizerAddresses(ctx)
		if err != nil {
			return err
		}
		for _, address := range addresses {
			asked, stop := context.WithTimeout(ctx, 2*probe.Timeout)
			err := question(asked, address)
			stop()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// authorizerAddresses are host:port of every authorizer, or of the one that was
// given.
func (s *System) authorizerAddresses(ctx context.Context) ([]string, error) {
	if s.authorizers != nil && s.mayForward() {
		addresses, _, err := s.authorizers.addresses(ctx)
		return addresses, err
	}
	for _, v := range s.up.Variants {
		if v.Authorizer != "" {
			return []string{v.Authorizer}, nil
		}
	}
	return nil, errors.New("the authorizer was not found")
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// PutSecret makes a Secret, in the place of the one of its name if there is one,
// and does not wait until anybody has noticed.
func (s *System) PutSecret(ctx context.Context, variant string, secret []byte) error {
	o, err := s.secret(variant, secret)
	if err != nil {
		return err
	}
	s.label(o)
	return s.changes.replace(ctx, o)
}

// DeleteSecret deletes the Secret of the manifest's namespace and name, which
// must be there.
func (s *System) DeleteSecret(ctx context.Context, variant string, secret []byte) error {
	o, err := s.secret(variant, secret)
	if err != nil {
		return err
	}
	if _, err := s.cluster.Get(ctx, o); err != nil {
		return fmt.Errorf("delete %s: %w", kube.Name(o), err)
	}
	return s.changes.remove(ctx, o)
}

// secret reads a Secret's manifest. Its text never reaches an error.
func (s *System) secret(variant string, manifest []byte) (*unstructured.Unstructured, error) {
	if _, err := s.variant(variant); err != nil {
		return nil, err
	}
	objects, err := kube.Decode(manifest)
	if err != nil || len(objects) != 1 || objects[0].GetKind() != "Secret" || objects[0].GetName() == "" || objects[0].GetNamespace() == "" {
		return nil, errors.New("the manifest is no Secret with a namespace and a name")
	}
	return objects[0], nil
}
