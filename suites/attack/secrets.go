package attack

import (
	"net/url"
	"strings"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// secrets are the spellings of keys that no ledger may hold, even if the
// system under test sends them back.
type secrets struct {
	texts   []string
	longest int
}

func newSecrets(keys ...tier.Key) secrets {
	var s secrets
	for _, key := range keys {
		for _, text := range []string{key.Reveal(), url.QueryEscape(key.Reveal())} {
			if text != "" {
				s.texts = append(s.texts, text)
				s.longest = max(s.longest, len(text))
			}
		}
	}
	return s
}

// keys are those that the attack's hits carry.
func (a Attack) keys() []tier.Key {
	keys := []tier.Key{a.As.Key}
	if a.Forged != nil {
		_, forged, hasScheme := strings.Cut(*a.Forged, " ")
		if !hasScheme && a.As.Credential.Place != tier.AuthorizationHeader {
			forged = *a.Forged
		}
		keys = append(keys, tier.Key(forged))
	}
	for _, other := range a.Also {
		keys = append(keys, other.Key)
	}
	return keys
}

// hide is the first limit bytes of text without its secrets. A secret that
// reaches over the limit is hidden as a whole.
func (s secrets) hide(text string, limit int) string {
	var b strings.Builder
	limit = min(limit, len(text))
	for from := 0; from < limit; {
		at, length := s.first(text[from:])
		if length == 0 || from+at >= limit {
			b.WriteString(text[from:limit])
			break
		}
		b.WriteString(text[from : from+at])
		b.WriteString(tier.Key(text).String())
		from += at + length
	}
	return b.String()
}

// first is where the first secret in text begins and how long it is: the
// longest of those that begin there. Its length is 0 if there is none.
func (s secrets) first(text string) (at, length int) {
	for _, secret := range s.texts {
		i := strings.Index(text, secret)
		if i >= 0 && (length == 0 || i < at || i == at && len(secret) > length) {
			at, length = i, len(secret)
		}
	}
	return at, length
}
