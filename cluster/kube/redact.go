package kube

import (
	"cmp"
	"context"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// Redacted stands where a key stood.
	Redacted = "[redacted]"
	// shortestKey is the length below which a Secret's value is left alone: it
	// would be found in every other word.
	shortestKey = 6
	// mostMessage bounds a message of the cluster that is shown, in bytes.
	mostMessage = 1 << 10
)

var (
	// secretName are the names whose values are not shown.
	secretName = regexp.MustCompile(`(?i)(key|token|password|passwd|secret|authorization|credential)s?$`)
	// secretText is a secret in running text: a name, then its value.
	secretText = regexp.MustCompile(`(?i)((?:api[-_]?key|token|password|passwd|secret|authorization)["']?\s*[:=]\s*["']?(?:(?:bearer|apikey|basic)\s+)?)[^\s"',;}\[\]]{4,}`)
	// bearerText is a credential with its scheme and no name.
	bearerText = regexp.MustCompile(`\b((?:Bearer|APIKEY|Basic)\s+)[A-Za-z0-9._~+/=-]{4,}`)
	colours    = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")
)

// Redactor takes keys out of text. Its zero value knows names such as "token"
// and no values.
type Redactor struct{ known *strings.Replacer }

// NewRedactor knows values that must not be shown, as they are and in base64.
func NewRedactor(values []string) *Redactor {
	var all []string
	for _, value := range values {
		for _, text := range []string{value, strings.TrimSpace(value), base64.RawStdEncoding.EncodeToString([]byte(value))} {
			if len(text) >= shortestKey {
				all = append(all, text)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	var pairs []string
	for _, text := range slices.Compact(all) {
		pairs = append(pairs, text, Redacted)
	}
	return &Redactor{strings.NewReplacer(pairs...)}
}

// RedactorOf knows the values of the Secrets of a namespace, and of those that
// the authorizer reads in all namespaces, as far as they may be read.
func (c *Cluster) RedactorOf(ctx context.Context, namespaces ...string) *Redactor {
	var values []string
	keep := func(namespace, selector string) {
		list, err := c.Client.CoreV1().Secrets(namespace).List(ctx, listOptions(selector))
		if err != nil {
			return
		}
		for _, secret := range list.Items {
			// A release of Helm is a compressed archive and no secret of anybody's.
			if strings.HasPrefix(string(secret.Type), "helm.sh/") {
				continue
			}
			for name, value := range secret.Data {
				if secret.Type == corev1.SecretTypeServiceAccountToken && name != corev1.ServiceAccountTokenKey || !utf8.Valid(value) {
					continue
				}
				values = append(values, string(value))
			}
		}
	}
	keep("", "authorino.kuadrant.io/managed-by")
	for _, namespace := range namespaces {
		keep(namespace, "")
	}
	return NewRedactor(values)
}

// Text is a text without keys.
func (r *Redactor) Text(text string) string {
	if r != nil && r.known != nil {
		text = r.known.Replace(text)
	}
	text = secretText.ReplaceAllString(text, "${1}"+Redacted)
	return bearerText.ReplaceAllString(text, "${1}"+Redacted)
}

// Object is a copy of an object without what nobody reads and without keys:
// the values of a Secret, and of everything that is named key, token or alike.
func (r *Redactor) Object(object *unstructured.Unstructured) *unstructured.Unstructured {
	shown := object.DeepCopy()
	shown.SetManagedFields(nil)
	if notes := shown.GetAnnotations(); notes[corev1.LastAppliedConfigAnnotation] != "" {
		delete(notes, corev1.LastAppliedConfigAnnotation)
		shown.SetAnnotations(notes)
	}
	if shown.GetKind() == "Secret" {
		for _, field := range []string{"data", "stringData"} {
			values, _ := shown.Object[field].(map[string]any)
			for name := range values {
				values[name] = Redacted
			}
		}
	}
	shown.Object, _ = r.value(shown.Object).(map[string]any)
	return shown
}

// Values is a copy of a chart's values or of a patch without keys.
func (r *Redactor) Values(values map[string]any) map[string]any {
	shown, _ := r.value(values).(map[string]any)
	return shown
}

func (r *Redactor) value(value any) any {
	switch value := value.(type) {
	case string:
		return r.Text(value)
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = r.value(value[i])
		}
		return list
	case map[string]any:
		shown := make(map[string]any, len(value))
		for name, item := range value {
			if text, ok := item.(string); ok && text != "" && secret(name, value) {
				shown[name] = Redacted
				continue
			}
			shown[name] = r.value(item)
		}
		return shown
	}
	return value
}

// secret tells whether the value of a name is to be hidden. The key of a
// selector, of a toleration or of a reference is a name and no value.
func secret(name string, among map[string]any) bool {
	switch name {
	case "key":
		for _, other := range []string{"operator", "effect", "name", "path"} {
			if _, ok := among[other]; ok {
				return false
			}
		}
		return true
	case "topologyKey":
		return false
	case "value":
		called, _ := among["name"].(string)
		return secretName.MatchString(called)
	}
	return secretName.MatchString(name)
}

// plain is a message of the cluster in one line, without control characters and
// secrets, and not too long: it may quote what a program wrote.
func plain(message string) string {
	message = strings.Join(strings.Fields(printable(message)), " ")
	message = (&Redactor{}).Text(message)
	if len(message) > mostMessage {
		message = strings.ToValidUTF8(message[:mostMessage], "") + " ..."
	}
	return message
}

// printable is a text without colours and control characters but newline and tab.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0x7f && (r < 0x80 || r >= 0xa0) {
			return r
		}
		return -1
	}, colours.ReplaceAllString(text, ""))
}
