package markdown

import (
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

// maxText bounds one text of a run.
const maxText = 1000

// entities replace what Markdown, its tables or HTML read as their own.
// CommonMark takes no entity for structure, so an escape cannot be undone by
// what stands around it.
var entities = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `\`, "&#92;", "`", "&#96;", "*", "&#42;", "_", "&#95;",
	"[", "&#91;", "]", "&#93;", "|", "&#124;", "~", "&#126;", "#", "&#35;", "@", "&#64;", "$", "&#36;",
	"://", "&#58;//", "www.", "www&#46;",
)

// escape makes a text of a run plain text on one line. It must not begin a line
// of the summary: a digit and a dot would be a list.
func escape(text string) string {
	return entities.Replace(reports.Clip(text, maxText))
}

// code is text in a fixed-width font, "" for nothing. Backticks would need a
// longer fence for each hostile text; an element with entities needs none.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "<code>" + escape(text) + "</code>"
}
