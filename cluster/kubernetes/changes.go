package kubernetes

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// changes notes every object as it was before the first change of ours, in files
// that all processes of a run share. They may hold keys.
type changes struct {
	cluster *kube.Cluster
	dir     string
}

// change is one object before it was changed.
type change struct {
	At time.Time `json:"at"`
	// Named has the kind, namespace and name; Before is the object, nil if there
	// was none.
	Named  *unstructured.Unstructured `json:"named"`
	Before *unstructured.Unstructured `json:"before,omitempty"`
	// Inverse, where only some fields were changed, is the merge that takes that
	// back: an operator may have changed others since.
	Inverse map[string]any `json:"inverse,omitempty"`
}

// note notes an object, or the fields of a merge, unless they were noted already.
func (c *changes) note(ctx context.Context, object *unstructured.Unstructured, patch map[string]any) error {
	fields, err := json.Marshal(inverse(patch, nil))
	if err != nil {
		return fmt.Errorf("note %s: %w", kube.Name(object), err)
	}
	sum := sha256.Sum256([]byte(object.GroupVersionKind().GroupKind().String() + " " + kube.Name(object) + " " + string(fields)))
	path := filepath.Join(c.dir, hex.EncodeToString(sum[:12])+".json")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	named := Resource{object.GetAPIVersion(), object.GetKind(), object.GetNamespace(), object.GetName()}.object()
	before, err := c.cluster.Get(ctx, named)
	if err != nil && !kube.Missing(err) {
		return fmt.Errorf("read %s before it is changed: %w", kube.Name(object), err)
	}
	one := change{At: time.Now(), Named: named, Before: before}
	if patch != nil {
		if before == nil {
			return fmt.Errorf("%s is not there", kube.Name(object))
		}
		one.Before, one.Inverse = nil, inverse(patch, before.Object)
	}
	text, err := json.Marshal(one)
	if err != nil {
		return fmt.Errorf("note %s: %w", kube.Name(object), err)
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("note %s: %w", kube.Name(object), err)
	}
	temporary, err := os.CreateTemp(c.dir, ".note-*")
	if err != nil {
		return fmt.Errorf("note %s: %w", kube.Name(object), err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("note %s: %w", kube.Name(object), err)
	}
	// A link fails where another process was first: what it saw was earlier.
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("note %s: %w", kube.Name(object), err)
	}
	return nil
}

// replace notes an object and puts another in its place.
func (c *changes) replace(ctx context.Context, object *unstructured.Unstructured) error {
	if err := c.note(ctx, object, nil); err != nil {
		return err
	}
	return c.cluster.Replace(ctx, object)
}

// merge notes an object and changes some of its fields.
func (c *changes) merge(ctx context.Context, object *unstructured.Unstructured, patch map[string]any) error {
	if err := c.note(ctx, object, patch); err != nil {
		return err
	}
	return c.cluster.Merge(ctx, object, patch)
}

// remove notes an object and deletes it.
func (c *changes) remove(ctx context.Context, object *unstructured.Unstructured) error {
	if err := c.note(ctx, object, nil); err != nil {
		return err
	}
	return c.cluster.Delete(ctx, object)
}

// noted are the changes, the latest first.
func (c *changes) noted() ([]change, error) {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was changed: %w", err)
	}
	var found []change
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".json" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(c.dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read what was changed: %w", err)
		}
		var one change
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("read what was changed: %s: it is no note of a change", entry.Name())
		}
		found = append(found, one)
	}
	slices.SortFunc(found, func(a, b change) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(kube.Name(a.Named), kube.Name(b.Named)))
	})
	return found, nil
}

// undo puts everything back as it was, the latest change first, and returns once
// what was made is gone. What cannot be put back does not keep the rest from it.
func (c *changes) undo(ctx context.Context) error {
	all, err := c.noted()
	if err != nil {
		return err
	}
	var errs []error
	for _, one := range all {
		switch {
		case one.Inverse != nil:
			if err := c.cluster.Merge(ctx, one.Named, one.Inverse); !kube.Missing(err) {
				errs = append(errs, err)
			}
			continue
		case one.Before == nil:
			errs = append(errs, c.cluster.Delete(ctx, one.Named))
			continue
		}
		errs = append(errs, c.cluster.Replace(ctx, one.Before))
	}
	for _, one := range all {
		if one.Before != nil || one.Inverse != nil {
			continue
		}
		bounded, cancel := context.WithTimeoutCause(ctx, gonePatience, fmt.Errorf("%s is still there after %s", kube.Name(one.Named), gonePatience))
		errs = append(errs, kube.Until(bounded, pollInterval, func(ctx context.Context) error {
			gone, err := c.cluster.Gone(ctx, one.Named)
			if err == nil && !gone {
				err = fmt.Errorf("%s is being deleted", kube.Name(one.Named))
			}
			return err
		}))
		cancel()
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take back what the run changed in the cluster: %w", err)
	}
	return nil
}

const (
	// gonePatience bounds the wait for the end of an object: a namespace with a
	// gateway's pods takes as long as these take to end.
	gonePatience = 2 * time.Minute
	pollInterval = 200 * time.Millisecond
)

// inverse is the merge that takes a merge into an object back.
func inverse(patch, object map[string]any) map[string]any {
	if patch == nil {
		return nil
	}
	back := make(map[string]any, len(patch))
	for name, value := range patch {
		before := object[name]
		inner, nested := value.(map[string]any)
		if was, ok := before.(map[string]any); nested && (ok || before == nil) {
			back[name] = inverse(inner, was)
			continue
		}
		back[name] = before
	}
	return back
}
