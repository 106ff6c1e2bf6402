package catalogue

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteDefects writes suites/DEFECTS.md.
func WriteDefects(w io.Writer) error {
	var page bytes.Buffer
	page.WriteString(`# Known defects, and the cases that find them

Written by ` + "`floodgate defects`" + ` from suites/catalogue/defects.go; do not edit.

Each line is a behaviour of the real components that somebody reported or that
was measured on them, with the case that finds it and a command that shows it on
stand-ins: it ends with exit code 1. On a real system the same case finds it
without any fault. A *weakness* is accepted by whoever declares it
(` + "`--declare NAME`" + `); the case then passes, and says so.

| no. | what is noticed | known from | versions | case | weakness | shown by |
|---|---|---|---|---|---|---|
`)
	for _, d := range Defects() {
		number, weakness := "–", "–"
		if d.Number > 0 {
			number = fmt.Sprint(d.Number)
		}
		if d.Weakness != "" {
			weakness = "`" + d.Weakness + "`"
		}
		title := d.Title
		if d.Note != "" {
			title += " (" + d.Note + ")"
		}
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s | `%s` |\n", number, title, d.Upstream, d.Versions, d.Case, weakness, d.Shows())
	}
	for _, r := range Recordings() {
		fmt.Fprintf(&page, "\n## %s\n\n`floodgate run --as %s` gives the stack of stand-ins the faults of %s, as recorded. Lane full then fails in:\n\n| case | rules |\n|---|---|\n",
			r.Name, r.Name, r.Parts)
		for _, id := range sortedKeys(r.Fails) {
			fmt.Fprintf(&page, "| %s | %s |\n", id, strings.Join(r.Fails[id], ", "))
		}
		fmt.Fprintf(&page, "\nIt passes with a declared weakness in: %s. `floodgate defects --as %s out/RUN` says whether a run did exactly so.\n",
			strings.Join(r.Weak, ", "), r.Name)
		fmt.Fprintf(&page, "\nIts faults: %s.\n", strings.Join(r.Faults, ", "))
	}
	_, err := page.WriteTo(w)
	if err != nil {
		return fmt.Errorf("write the list of defects: %w", err)
	}
	return nil
}

func sortedKeys(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
