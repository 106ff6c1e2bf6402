package harness

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"

	"github.com/floodgate-dev/floodgate/suites/attack"
)

// Asking is the request of this bed's policy with other fields in its body,
// such as "stream": true.
func (b *Bed) Asking(ctx context.Context, fields map[string]any) attack.Target {
	ginkgoHelper()
	var body map[string]any
	b.must(json.Unmarshal(b.bodies(ctx, b.set.Request().Path)[0], &body))
	maps.Copy(body, fields)
	encoded, err := json.Marshal(body)
	b.must(err)
	return attack.Target{Bodies: [][]byte{encoded}}
}

// Straight is the same request fired at the model server itself. ok is false
// where that cannot be reached.
func (b *Bed) Straight(target attack.Target) (straight attack.Target, ok bool) {
	backend, err := url.Parse(b.variant.Backend)
	target.URL = b.variant.Backend
	return target, err == nil && backend.Host != ""
}
