package local

import (
	"io"
	"os"
	"strings"
)

const (
	// tailBytes and tailLines bound the end of a log that is shown.
	tailBytes = 4 << 10
	tailLines = 12
)

// logTail is the end of a component's log as it may be shown: whole lines,
// without control characters and keys. What cannot be read is "".
func logTail(path string, secrets *redactor) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	// A key that the first byte shown is part of must be there as a whole.
	most := int64(tailBytes + secrets.longest)
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(max(0, size-most), io.SeekStart)
	}
	if err != nil {
		return ""
	}
	raw, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return ""
	}
	text := secrets.text(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0x7f {
			return r
		}
		return -1
	}, string(raw)))
	shown := text[max(0, len(text)-tailBytes):]
	lines := strings.Split(strings.TrimSpace(shown), "\n")
	if (size > most || len(shown) < len(text)) && len(lines) > 1 {
		lines = lines[1:]
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
