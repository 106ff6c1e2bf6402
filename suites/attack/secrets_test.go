package attack

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever stands around a key, nothing of the key is left, the rest is as it
// was, and no more of the text is used than was asked for.
func TestSecretsAreHiddenWhereverTheyStand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`K[a-z/&]{3,12}`).Draw(t, "key")
		parts := rapid.SliceOf(rapid.StringMatching(`[0-9 ]{0,9}`)).Draw(t, "parts")
		s := secrets{texts: []string{key}, longest: len(key)}
		text := strings.Join(parts, key)
		if got, want := s.hide(text, len(text)), strings.Join(parts, "[redacted]"); got != want {
			t.Fatalf("hidden %q, want %q", got, want)
		}
		limit := rapid.IntRange(0, len(text)).Draw(t, "limit")
		cut := strings.ReplaceAll(s.hide(text, limit), "[redacted]", "")
		if strings.ContainsAny(cut, "Kabcdefghijklmnopqrstuvwxyz/&") {
			t.Fatalf("a piece of the key is left at limit %d: %q", limit, cut)
		}
		if len(cut) > limit {
			t.Fatalf("%d bytes of the text are left at limit %d: %q", len(cut), limit, cut)
		}
		if whole := strings.ReplaceAll(text, key, ""); !strings.HasPrefix(whole, cut) {
			t.Fatalf("limit %d: %q is not the beginning of %q", limit, cut, whole)
		}
	})
}
