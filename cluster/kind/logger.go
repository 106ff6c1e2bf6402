package kind

import (
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/kind/pkg/log"
)

// logger hands kind's own messages on, a line each, without its spinner's
// decorations.
type logger struct{ out io.Writer }

func (l *logger) say(text string) {
	if l.out == nil {
		return
	}
	for line := range strings.Lines(text) {
		if line = strings.Trim(line, " \t\r\n•✓✗"); line != "" {
			// A terminal that went away must not end a cluster's creation.
			_, _ = fmt.Fprintf(l.out, "kind: %s\n", line)
		}
	}
}

func (l *logger) Warn(message string)             { l.say(message) }
func (l *logger) Warnf(format string, arg ...any) { l.say(fmt.Sprintf(format, arg...)) }
func (l *logger) Error(message string)            { l.say(message) }
func (l *logger) Errorf(format string, arg ...any) {
	l.say(fmt.Sprintf(format, arg...))
}

// V shows what kind says at level 0 and leaves the rest out.
func (l *logger) V(level log.Level) log.InfoLogger {
	if level > 0 {
		return log.NoopInfoLogger{}
	}
	return infoLogger{l}
}

type infoLogger struct{ *logger }

func (l infoLogger) Info(message string)              { l.say(message) }
func (l infoLogger) Infof(format string, args ...any) { l.say(fmt.Sprintf(format, args...)) }
func (l infoLogger) Enabled() bool                    { return true }
