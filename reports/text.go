package reports

import (
	"fmt"
	"strings"
	"time"
)

// ShortLimit writes a limit's window without its zero parts: of
// "10 hits / 2m0s" it makes "10 hits / 2m".
func ShortLimit(limit string) string {
	head, window, found := strings.Cut(limit, " / ")
	if !found {
		return limit
	}
	return head + " / " + shortWindow(window)
}

// ShortDuration writes a duration without its zero parts: 2m0s is "2m".
func ShortDuration(d time.Duration) string { return shortWindow(d.String()) }

func shortWindow(window string) string {
	if strings.HasSuffix(window, "m0s") {
		window = strings.TrimSuffix(window, "0s")
	}
	if strings.HasSuffix(window, "h0m") {
		window = strings.TrimSuffix(window, "0m")
	}
	return window
}

// EntriesText lists a ledger's entries for people: "entry 3",
// "entries 3 to 6 and 9".
func EntriesText(entries []int) string {
	var runs []string
	for i := 0; i < len(entries); {
		end := i
		for end+1 < len(entries) && entries[end+1] == entries[end]+1 {
			end++
		}
		if end-i < 2 {
			end = i
			runs = append(runs, fmt.Sprint(entries[i]))
		} else {
			runs = append(runs, fmt.Sprintf("%d to %d", entries[i], entries[end]))
		}
		i = end + 1
	}
	switch {
	case len(entries) == 0:
		return ""
	case len(entries) == 1:
		return "entry " + runs[0]
	case len(runs) == 1:
		return "entries " + runs[0]
	default:
		last := len(runs) - 1
		return "entries " + strings.Join(runs[:last], ", ") + " and " + runs[last]
	}
}

// CommandText is a command line that can be pasted into a shell.
func CommandText(arguments []string) string {
	quoted := make([]string, len(arguments))
	for i, argument := range arguments {
		quoted[i] = shellQuote(argument)
	}
	return strings.Join(quoted, " ")
}

func shellQuote(argument string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=/.,:@%+"
	if argument != "" && strings.Trim(argument, safe) == "" {
		return argument
	}
	return "'" + strings.ReplaceAll(argument, "'", `'\''`) + "'"
}
