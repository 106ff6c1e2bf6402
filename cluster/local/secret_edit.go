package local

import (
	"context"
	"fmt"
)

// PutSecret writes the Secret where the authorizer looks, and does not wait
// until it has looked.
func (a *attached) PutSecret(_ context.Context, variant string, secret []byte) error {
	_, files, err := a.variant(variant)
	if err != nil {
		return err
	}
	if err := files.writeSecret(secret); err != nil {
		return fmt.Errorf("put a Secret into %s: %w", variant, err)
	}
	return nil
}

// DeleteSecret takes the Secret from where the authorizer looks.
func (a *attached) DeleteSecret(_ context.Context, variant string, secret []byte) error {
	_, files, err := a.variant(variant)
	if err != nil {
		return err
	}
	if err := files.removeSecret(secret); err != nil {
		return fmt.Errorf("delete a Secret of %s: %w", variant, err)
	}
	return nil
}
