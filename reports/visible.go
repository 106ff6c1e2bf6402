package reports

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible makes text from the system under test safe to show on one line:
// control characters, which move a terminal's cursor, and format characters,
// which turn the direction of writing, come out as escapes such as \x1b.
func Visible(text string) string {
	if strings.IndexFunc(text, hidden) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n':
			b.WriteString(`\n`)
		case hidden(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case hidden(r) && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Clip is Visible of at most so many bytes: one bad line must not make a page
// unreadable. It says what it left out.
func Clip(text string, most int) string {
	if len(text) <= most {
		return Visible(text)
	}
	cut := most
	for cut > most-utf8.UTFMax && cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d more bytes in %s)", Visible(text[:cut]), len(text)-cut, RecordFile)
}

func hidden(r rune) bool {
	const nonCharacter = 0xfffe // the last two of each plane, which XML refuses
	return r&nonCharacter == nonCharacter || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}
